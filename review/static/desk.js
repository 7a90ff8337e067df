// Speed of hand. Every page works without this file; it only saves clicks.
"use strict";

/* Keys. What a key does stands in the page: the first link or button with data-key takes it. People may choose other keys (help page). */
const chosenKeys = JSON.parse(localStorage.getItem("keys") || "{}");

function keyFor(key) {
  return chosenKeys[key] || key;
}

function keyOf(element) {
  return keyFor(element.dataset.key);
}

function isTyping(target) {
  return target.isContentEditable || /^(SELECT|TEXTAREA)$/.test(target.tagName)
    || (target.tagName === "INPUT" && !/^(checkbox|radio|button|submit)$/.test(target.type));
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isTyping(event.target)) return;
  const found = [...document.querySelectorAll("[data-key]")].find((element) => keyOf(element) === event.key);
  if (!found || found.disabled) return;
  event.preventDefault();
  if (found.matches("input, select, textarea")) found.focus();
  else found.click();
});

for (const element of document.querySelectorAll("[data-key]")) {
  const shown = element.querySelector("kbd");
  if (shown) shown.textContent = keyOf(element);
}

/* Blurred pictures, remembered by this browser. */
const blur = document.getElementById("blur");
if (blur) {
  const show = () => document.body.classList.toggle("is-blurred", blur.checked);
  blur.checked = localStorage.getItem("blur") === "yes";
  blur.addEventListener("change", () => { localStorage.setItem("blur", blur.checked ? "yes" : "no"); show(); });
  show();
}
