// What makes the pages quicker; without it all of them still work.
"use strict";

const hours = { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };
const moments = new Intl.DateTimeFormat("en", { ...hours, hourCycle: "h23", timeZoneName: "short" });

// As 2026-11-26 21:15 GMT+1, in the time zone of the reader: days are written alike everywhere.
function writeMoment(moment) {
  const part = Object.fromEntries(moments.formatToParts(moment).map((one) => [one.type, one.value]));
  return [`${part.year}-${part.month}-${part.day}`,
    `${part.hour}:${part.minute} ${part.timeZoneName}`];
}

function showMoments(within) {
  for (const one of within.querySelectorAll("time[data-moment]")) {
    one.title = one.textContent;
    const [day, clock] = writeMoment(new Date(one.dateTime)).map((text) => {
      const part = document.createElement("bdi");
      part.textContent = text;
      return part;
    });
    one.replaceChildren(day, " ", clock); // a narrow card breaks it between them
    one.removeAttribute("data-moment");
  }
}

function parsePage(text) {
  return new DOMParser().parseFromString(text, "text/html");
}

// The page of an answer; null where another user was chosen meanwhile, whose forms have no place here.
function readPage(text) {
  const page = parsePage(text);
  return page.body.dataset.visitor === document.body.dataset.visitor ? page : null;
}

// Whether more ads were loaded behind those shown.
async function loadMore(place, pages) {
  const link = place.querySelector("a[rel=next]");
  if (!link) return false;
  try {
    const answer = await fetch(link.href);
    if (!answer.ok) return false;
    const next = parsePage(await answer.text());
    const more = next.querySelector("[data-pages]");
    showMoments(more);
    pages.append(...more.children);
    place.replaceChildren(...next.querySelector("[data-more]").childNodes);
    return true;
  } catch {
    return false; // The link is still there.
  }
}

// They are loaded when the end of those shown comes near.
async function loadMoreNear(place, pages) {
  await returnToAd(place, pages);
  addEventListener("pagehide", () => rememberAd(pages));
  const seen = new IntersectionObserver(async (entries) => {
    if (!entries.some((one) => one.isIntersecting)) return;
    seen.disconnect();
    if (await loadMore(place, pages)) seen.observe(place);
  }, { rootMargin: "800px" });
  seen.observe(place);
}

const mostReloaded = 3000; // ads
const pageLength = 60; // so many may have come before it meanwhile

// The first ad in sight, for who comes back to this address; none at the top, where new ones come.
function rememberAd(pages) {
  const ads = [...pages.children];
  const at = scrollY === 0 ? -1 : ads.findIndex((one) => one.getBoundingClientRect().bottom > 0);
  const place = at < 0 ? {} : { ad: ads[at].dataset.ad, top: ads[at].getBoundingClientRect().top, at };
  keptInTab(`place ${location.href}`, JSON.stringify(place));
}

async function returnToAd(place, pages) {
  const [loaded] = performance.getEntriesByType("navigation");
  const left = JSON.parse(keptInTab(`place ${location.href}`) ?? "{}");
  if (loaded.type === "navigate" || !left.ad) return;
  history.scrollRestoration = "manual"; // the browser's knows nothing of ads that are yet to be loaded
  let isElsewhere = false;
  for (const one of ["wheel", "touchstart", "keydown", "pointerdown"]) {
    addEventListener(one, () => { isElsewhere = true; }, { once: true });
  }
  const find = () => pages.querySelector(`[data-ad="${CSS.escape(left.ad)}"]`);
  const most = Math.min(left.at + pageLength, mostReloaded);
  while (!find() && pages.children.length < most && await loadMore(place, pages));
  const ad = find() ?? pages.children[left.at]; // in its place, where it was deleted
  for (let frame = 0; ad && !isElsewhere && frame < 10; frame += 1) { // cards have their height once in sight
    scrollBy({ top: ad.getBoundingClientRect().top - left.top, behavior: "instant" });
    await new Promise(requestAnimationFrame);
  }
}

// In place of a picture that cannot be had, the words that describe it.
function describeMissing(picture) {
  const words = document.createElement("span");
  words.className = "no-picture";
  words.textContent = picture.alt;
  picture.replaceWith(words);
}

document.addEventListener("error", (event) => {
  if (event.target.matches?.(".shown img")) describeMissing(event.target);
}, true);
// What failed before this script was there is requested again, so that its failure is heard.
for (const one of document.querySelectorAll(".shown img")) {
  if (one.complete && !one.naturalWidth) one.src = one.src;
}

// Fields of these types take no letters.
const noLetters = ["button", "checkbox", "color", "file", "image", "radio", "range", "reset", "submit"];

function isTyping(target) {
  const field = target.closest("input, select, textarea, [contenteditable]");
  return field !== null && !noLetters.includes(field.type);
}

// Arrow keys move from ad to ad, by row where there are rows; in the library also to the first one.
function moveBetweenCards(event) {
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  const step = steps[event.key];
  const links = [...document.querySelectorAll(".card .shown")];
  if (!step || !links.length) return;
  const at = links.indexOf(document.activeElement?.closest(".card")?.querySelector(".shown"));
  if (at < 0) {
    const isFree = [document.body, document.querySelector("main")].includes(document.activeElement);
    if (!isFree || !document.querySelector(".selection")) return;
    event.preventDefault();
    (links.find((one) => one.getBoundingClientRect().top >= 0) ?? links[0]).focus();
    return;
  }
  const top = links[0].getBoundingClientRect().top;
  const columns = links.findIndex((one) => one.getBoundingClientRect().top > top + 1);
  const to = at + step[0] + step[1] * (columns < 1 ? links.length : columns);
  if (!links[to]) return;
  event.preventDefault();
  links[to].focus();
}

// The box by which the ad that has the focus is selected.
function boxOfFocused() {
  return document.activeElement?.closest(".selection .card")?.querySelector("input[name=ad]");
}

// Letters and signs can be switched off as keys, as for whoever speaks to the browser.
let haveLetters = kept("keys") !== "off";

function offerSwitch(place) {
  const box = place.querySelector("input");
  place.hidden = false;
  box.checked = haveLetters;
  box.addEventListener("change", () => {
    haveLetters = box.checked;
    kept("keys", haveLetters ? "on" : "off");
  });
}

function handleKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  if (event.key.length === 1 && !haveLetters) return;
  const search = document.querySelector("[data-search]");
  if (event.key === "/" && search) {
    event.preventDefault();
    search.focus();
  } else if (event.key.startsWith("Arrow")) {
    moveBetweenCards(event);
  } else if (event.key === "x" && boxOfFocused()) {
    boxOfFocused().click();
  } else {
    pressNamed(event);
  }
}

// A field takes the focus by its key, a button or a link is pressed by it.
function pressNamed(event) {
  const key = CSS.escape(event.key);
  const named = document.querySelector(`[data-focus-key="${key}"]`) ??
    document.querySelector(`[data-key="${key}"]`);
  if (!named) return;
  const box = boxOfFocused();
  // Of a selection: the ads that are selected, else the one that has the focus.
  if (box && named.form === box.form && !named.form.querySelector("input[name=ad]:checked")) {
    box.checked = true;
    tellSelection(box.form);
  }
  if (!named.getClientRects().length) return;
  event.preventDefault();
  if (named.dataset.focusKey) named.focus();
  else named.click();
}

// How many ads are selected is told by screen readers, and how to go on.
function tellSelection(form) {
  const place = document.querySelector("[data-selected]");
  const number = form.querySelectorAll("input[name=ad]:checked").length;
  const said = ["none", "one"][number] ?? "other";
  place.textContent = place.dataset[said].replace("{number}", number);
}

// The bar of the selection stays where it is, so that nothing is scrolled to.
function followSelection(form) {
  form.addEventListener("change", (event) => {
    if (event.target.name === "ad") tellSelection(form);
  });
  form.addEventListener("reset", () => setTimeout(tellSelection, 0, form));
  form.addEventListener("click", (event) => {
    if (!event.target.matches(".card > .skip")) return;
    event.preventDefault();
    document.getElementById("selected").focus();
  });
}

// Enter in a field of the selection presses the button that stands beside it.
function pressBeside(event) {
  const named = event.target.dataset?.enter;
  const button = named && event.target.form?.elements.namedItem(named);
  if (event.key !== "Enter" || !button || event.isComposing) return;
  event.preventDefault();
  button.click();
}

// A part of a page that is loaded after it, and again for as long as it says so.
async function loadPart(place) {
  let next = null;
  try {
    const answer = await fetch(place.dataset.part);
    const text = answer.ok ? await answer.text() : "";
    next = readPage(text)?.getElementById(place.id);
  } catch {
    // It stays as it is.
  }
  if (next && place.dataset.again && !next.dataset.again) {
    reloadPage();
    return;
  }
  if (next && !place.contains(document.activeElement)) {
    showMoments(next);
    place.replaceWith(next);
    place = next;
  }
  loadPartLater(place);
}

function loadPartLater(place) {
  if (place.dataset.again) setTimeout(loadPart, place.dataset.again * 1000, place);
}

function loadPartNear(place) {
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((one) => one.isIntersecting)) return;
    seen.disconnect();
    loadPart(place);
  }, { rootMargin: "600px" });
  seen.observe(place);
}

function chooseTheme() {
  const root = document.documentElement;
  const chosen = kept("theme");
  if (chosen) root.dataset.theme = chosen;
  const button = document.querySelector("[data-theme-button]");
  if (!button) return; // as on a board that was shared
  button.hidden = false;
  button.addEventListener("click", () => {
    const isDark = getComputedStyle(root).colorScheme === "dark" ||
      (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
    root.dataset.theme = isDark ? "light" : "dark";
    kept("theme", root.dataset.theme);
  });
}

// What a form has done is told by screen readers once it comes into a page that is there.
function tellNotice(notice) {
  const place = document.querySelector("[data-said]");
  setTimeout(() => {
    if (!place || place.contains(document.activeElement)) return;
    place.replaceChildren(...notice ? [notice] : []);
  }, 100);
}

// What was typed as a note on an ad that the board has no more stands above it, as where it is sent.
function showLostNote(placed) {
  const typed = placed.querySelector("textarea");
  if (!typed || typed.value === typed.defaultValue) return;
  const lost = document.querySelector("[data-lost-note]").content.cloneNode(true);
  lost.querySelector("p").append(` ${placed.dataset.placed}`);
  lost.querySelector("textarea").value = typed.value;
  document.querySelector("[data-lost-notes]").append(lost);
}

// The board in the order that the server has, with what is typed on it; a move that was refused
// because somebody else had made one is said.
function showOrder(board, page) {
  const told = page.querySelector("[data-order-problem]");
  if (!told) throw new Error("This is no page of a board.");
  const next = page.querySelector("[data-board]") ?? document.createElement("div"); // nothing is on it
  showMoments(next);
  const shown = new Map([...board.children].map((one) => [one.dataset.placed, one]));
  const ordered = [...next.children].map((one) => {
    const kept = shown.get(one.dataset.placed);
    if (!kept) return one;
    kept.querySelector(".placed-actions").replaceWith(one.querySelector(".placed-actions"));
    return kept;
  });
  for (const one of board.children) if (!ordered.includes(one)) showLostNote(one);
  board.replaceChildren(...ordered);
  board.dataset.version = next.dataset.version;
  document.querySelector("[data-order-problem]").replaceChildren(...told.childNodes);
  tellNotice(page.querySelector("[data-notice]"));
}

// The form was refused, as where another user was chosen meanwhile: what was typed stays.
function tellRefusal(page) {
  const said = page.querySelectorAll(".notice > p:not(:has(a))");
  document.querySelector("[data-order-problem]").replaceChildren(...said);
}

// Ads of a board are dragged before one another; the server keeps the order.
function orderByDragging(board) {
  let dragged = null;
  board.addEventListener("dragstart", (event) => {
    // Selected text, as of a note, is dragged as text.
    if (!(event.target instanceof Element) || event.target.matches("textarea, input")) return;
    dragged = event.target.closest("[data-placed]");
    event.dataTransfer.setData("text/plain", dragged.dataset.placed);
  });
  board.addEventListener("dragover", (event) => {
    const over = event.target.closest("[data-placed]");
    if (!dragged || !over || over === dragged) return;
    event.preventDefault();
    board.querySelector(".over")?.classList.remove("over");
    over.classList.add("over");
  });
  board.addEventListener("dragend", () => {
    dragged = null;
    board.querySelector(".over")?.classList.remove("over");
  });
  board.addEventListener("drop", async (event) => {
    const over = event.target.closest("[data-placed]");
    if (!dragged || !over || over === dragged) return;
    event.preventDefault();
    const isLater = dragged.compareDocumentPosition(over) & Node.DOCUMENT_POSITION_FOLLOWING;
    const next = isLater ? over.nextElementSibling : over;
    const body = new URLSearchParams({ form_token: board.dataset.token, do: "move",
      version: board.dataset.version, ad: dragged.dataset.placed,
      before: next?.dataset.placed ?? "" });
    const before = [...board.children];
    board.insertBefore(dragged, next);
    try {
      const answer = await fetch(board.dataset.board, { method: "POST", body });
      const page = parsePage(await answer.text());
      if (answer.status === 403) {
        board.replaceChildren(...before);
        tellRefusal(page);
      } else showOrder(board, page);
    } catch {
      board.replaceChildren(...before);
      document.querySelector("[data-order-problem]").textContent = board.dataset.notMoved;
    }
  });
}

// The slider chooses the day of the date field, and what ran on it takes the place of what is shown.
function chooseDay(form) {
  const field = form.querySelector("input[type=date]");
  const slider = form.querySelector("input[type=range]");
  const first = Date.parse(slider.dataset.first);
  slider.closest("label").hidden = false;
  let asked = 0;
  slider.addEventListener("input", () => {
    field.value = new Date(first + slider.valueAsNumber * 86400000).toISOString().slice(0, 10);
    slider.setAttribute("aria-valuetext", field.value);
  });
  slider.addEventListener("change", async () => {
    const mine = ++asked;
    const address = new URL(form.action);
    address.search = new URLSearchParams(new FormData(form)).toString();
    address.hash = "";
    try {
      const answer = await fetch(address);
      const page = parsePage(await answer.text());
      const shown = page.querySelector("[data-day-shown]");
      if (!answer.ok || !shown) throw new Error(answer.statusText);
      if (mine !== asked) return;
      document.querySelector("[data-day-shown]").replaceChildren(...shown.childNodes);
      history.replaceState(null, "", address);
    } catch {
      form.requestSubmit();
    }
  });
}

function start(selector, act) {
  const place = document.querySelector(selector);
  if (place) act(place);
}

showMoments(document);
tellNotice(document.querySelector("[data-notice]"));
start("[data-board]", orderByDragging);
start(".selection", followSelection);
chooseTheme();
start("[data-keys-switch]", offerSwitch);
document.addEventListener("keydown", handleKey);
document.addEventListener("keydown", pressBeside);
const pages = document.querySelector("[data-pages]");
const more = document.querySelector("[data-more]");
if (pages && more) loadMoreNear(more, pages);
for (const place of document.querySelectorAll("[data-part]")) {
  if (place.dataset.again) loadPartLater(place);
  else loadPartNear(place);
}

// A look is followed until it has ended; then the page shows what came of it.
async function followProgress(place) {
  const text = place.querySelector("[data-progress-text]");
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 2000));
    try {
      const answer = await fetch(place.dataset.progress);
      if (answer.status === 404) return;
      if (!answer.ok) continue;
      const told = await answer.json();
      if (told.text !== text.textContent) text.textContent = told.text;
      if (told.is_final) {
        reloadPage();
        return;
      }
    } catch {
      // The server is away; it is asked again.
    }
  }
}

// What is wrong with a field stands beside it, as where the server writes it.
function showProblem(field, said) {
  const id = `problem-${field.name}`;
  let place = document.getElementById(id);
  if (!said) {
    place?.remove();
    field.removeAttribute("aria-invalid");
    field.setAttribute("aria-describedby", `hint-${field.name}`);
    return;
  }
  if (!place) {
    place = document.createElement("span");
    place.className = "problem";
    place.id = id;
    field.after(place);
  }
  place.textContent = said;
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", `${id} hint-${field.name}`);
}

// The month's cost of a watch follows what is typed.
function showCost(form) {
  const numbers = [...form.querySelectorAll("input[inputmode=numeric]")];
  let asked;
  async function ask() {
    const url = new URL(form.dataset.estimate, location.href);
    const typed = new FormData(form);
    for (const one of form.querySelectorAll("input[type=hidden]")) typed.delete(one.name);
    for (const [name, value] of typed) url.searchParams.append(name, value);
    const mine = asked = {};
    const text = form.querySelector("[data-estimate-text]");
    let told = { text: text.dataset.unknown, seen: "", problems: {} };
    try {
      const answer = await fetch(url);
      if (answer.ok || answer.status === 422) told = await answer.json();
    } catch {
      // The server is away.
    }
    if (mine !== asked) return;
    text.textContent = told.text;
    for (const one of numbers) showProblem(one, told.problems[one.name]);
    form.querySelector("[data-estimate-seen]").value = told.seen;
  }
  let wait;
  form.addEventListener("input", (event) => {
    if (event.target.name === "name") return; // it costs nothing
    clearTimeout(wait);
    wait = setTimeout(ask, 300);
  });
}

start("[data-progress]", followProgress);
start("form[data-estimate]", showCost);

// What is being made is asked for; the parts of the page that say so are replaced when it moves on.
async function refreshParts() {
  const answer = await fetch(location.href);
  if (!answer.ok) return reloadPage();
  const next = readPage(await answer.text());
  if (!next) {
    delete document.querySelector("[data-live]").dataset.live; // nothing of another user's is shown
    return;
  }
  showMoments(next);
  document.querySelector("[data-notice]")?.remove(); // what it said has moved on
  for (const part of next.querySelectorAll("[data-fresh]")) {
    const old = document.querySelector(`[data-fresh="${CSS.escape(part.dataset.fresh)}"]`);
    if (old && !old.contains(document.activeElement)) old.replaceWith(part);
  }
}

async function followVariants() {
  const live = document.querySelector("[data-live]");
  if (!live) return;
  try {
    const answer = await fetch(live.dataset.live);
    if (answer.ok && (await answer.json()).state !== live.dataset.state) await refreshParts();
  } catch {
    // The server is away; it is asked again.
  }
  setTimeout(followVariants, 2000);
}

setTimeout(followVariants, 2000);
start("[data-day-form]", chooseDay);

// A link is selected by a click on it, and copied by the button beside it.
function offerCopy(button) {
  const field = button.parentElement.querySelector("input");
  field.addEventListener("focus", () => field.select());
  button.hidden = false;
  button.addEventListener("click", async () => {
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
    } catch {
      document.execCommand("copy"); // where the page is not served over HTTPS
    }
    button.textContent = button.dataset.copied;
  });
}

start("[data-copy]", offerCopy);
// Where the menu is wider than the screen, the part that shows this page comes into view.
document.querySelector("header.site nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
