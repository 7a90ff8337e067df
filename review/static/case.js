// A case at the speed of hand: walk through the photos, blink and slide between two, and have the next case ready.
"use strict";

/* How long the page was looked at. */
const opened = Date.now();
const seconds = document.querySelector("[data-seconds]");
if (seconds) seconds.form.addEventListener("submit", () => { seconds.value = ((Date.now() - opened) / 1000).toFixed(1); });

/* A click on a verdict counts once. */
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => { delete form.dataset.sent; }, 4000);
  });
}

/* Blink and slide: the two aligned pictures lie over each other; the range says how much of the upper one is seen. */
function layOver(views) {
  const [own, other] = views.querySelectorAll("img");
  const box = document.createElement("div");
  box.className = "slider";
  const over = document.createElement("div");
  over.className = "over";
  const below = own.cloneNode();
  const above = other.cloneNode();
  below.loading = above.loading = "eager";
  over.append(above);
  box.append(below, over);
  const tools = document.createElement("div");
  tools.className = "compare-tools";
  const range = Object.assign(document.createElement("input"), { type: "range", min: 0, max: 100, value: 50 });
  range.setAttribute("aria-label", "How much of the other photo is seen");
  const blink = Object.assign(document.createElement("button"), { type: "button", textContent: "Blink " });
  blink.dataset.blink = "";
  const key = document.createElement("kbd");
  key.textContent = keyFor("b");
  blink.append(key);
  tools.append("This listing", range, "The other", blink);
  const show = () => { over.style.clipPath = `inset(0 0 0 ${100 - range.value}%)`; };
  let timer = 0;
  range.addEventListener("input", show);
  blink.addEventListener("click", () => {
    if (timer) { clearInterval(timer); timer = 0; blink.setAttribute("aria-pressed", "false"); return; }
    blink.setAttribute("aria-pressed", "true");
    timer = setInterval(() => { range.value = range.value > 50 ? 0 : 100; show(); }, 450);
  });
  show();
  views.before(box, tools);
}

for (const details of document.querySelectorAll("details.aligned")) {
  details.addEventListener("toggle", () => {
    if (!details.open || details.dataset.laid) return;
    details.dataset.laid = "yes";
    layOver(details.querySelector("[data-views]"));
  });
}

/* J and K walk through the photos; B lays the pair that is looked at over the other, and blinks. */
const photos = [...document.querySelectorAll("[data-photo]")];
let here = 0;

function lookAt(number) {
  if (!photos.length) return;
  photos[here].classList.remove("is-here");
  here = Math.min(photos.length - 1, Math.max(0, number));
  photos[here].classList.add("is-here");
  photos[here].scrollIntoView({ block: "start" });
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
  const step = { [keyFor("j")]: 1, [keyFor("k")]: -1 }[event.key];
  if (step) { event.preventDefault(); lookAt(here + step); }
  if (event.key === keyFor("b") && photos.length) {
    const details = photos[here].querySelector("details.aligned");
    if (!details) return;
    event.preventDefault();
    details.open = true;
    setTimeout(() => details.querySelector("[data-blink]")?.click(), 50);
  }
});
