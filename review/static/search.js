/* A picture that is dropped on the page, or pasted into it, is looked up at once; without this the form does the same. */
"use strict";

const form = document.querySelector("[data-drop]");
const file = form.querySelector("input[type=file]");
const address = form.querySelector("input[name=url]");

function lookUp(transfer) {
  const pictures = new DataTransfer();
  const [dropped] = [...transfer.files].filter((each) => each.type.startsWith("image/"));
  const link = transfer.getData("text/uri-list") || transfer.getData("text/plain");
  if (dropped) {
    pictures.items.add(dropped);
    file.files = pictures.files;
  } else if (/^https?:\/\//.test(link.trim())) {
    address.value = link.trim().split("\n")[0];
  } else {
    return false;
  }
  form.requestSubmit();
  return true;
}

addEventListener("dragover", (event) => {
  event.preventDefault();
  form.classList.add("is-over");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) form.classList.remove("is-over");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("is-over");
  if (!lookUp(event.dataTransfer)) document.getElementById("told").textContent = "That is no picture, and no address of one.";
});
addEventListener("paste", (event) => {
  const typing = event.target.closest("input, textarea");
  if ((!typing || event.clipboardData.files.length) && lookUp(event.clipboardData)) event.preventDefault();
});
