// J and K walk through the rows, Enter opens one.
"use strict";

const rows = [...document.querySelectorAll("tr[data-case]")];
let here = -1;

function goTo(number) {
  if (!rows.length) return;
  if (here >= 0) rows[here].classList.remove("is-here");
  here = Math.min(rows.length - 1, Math.max(0, number));
  rows[here].classList.add("is-here");
  rows[here].querySelector("a.title").focus({ preventScroll: true });
  rows[here].scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const step = { [keyFor("j")]: 1, [keyFor("k")]: -1 }[event.key];
  if (step) { event.preventDefault(); goTo(here + step); }
});
