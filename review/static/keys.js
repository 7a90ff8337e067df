// Choosing other keys: kept in this browser only.
"use strict";

const inputs = [...document.querySelectorAll("input.chosen")];
for (const element of document.querySelectorAll(".choosing")) element.hidden = false;
const chosen = JSON.parse(localStorage.getItem("keys") || "{}");

for (const input of inputs) {
  input.value = chosen[input.dataset.for] || "";
  input.addEventListener("input", () => {
    const taken = inputs.some((other) => other !== input && (other.value || other.dataset.for) === input.value);
    input.setCustomValidity(taken ? "Another action has this key." : "");
    input.reportValidity();
    if (taken) return;
    if (input.value && input.value !== input.dataset.for) chosen[input.dataset.for] = input.value;
    else delete chosen[input.dataset.for];
    localStorage.setItem("keys", JSON.stringify(chosen));
  });
}

document.getElementById("as-they-were").addEventListener("click", () => {
  localStorage.removeItem("keys");
  location.reload();
});
