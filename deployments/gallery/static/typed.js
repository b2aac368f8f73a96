// What is typed into a form is not lost when another form of the page is sent, or the page is loaded
// again: it is kept in the tab, and put back where the form is shown next.
"use strict";

const ticks = ["checkbox", "radio"];
const choices = ["select-one"];
const texts = ["date", "number", "search", "text", "textarea"];

// What is typed, ticked or chosen; the ads of a selection are not.
function fieldsOf(form) {
  return [...form.elements].filter((one) => !one.readOnly && !one.closest(".card") &&
    [ticks, choices, texts].some((types) => types.includes(one.type)));
}

// Of a form in which a field is wrong, nothing is stored, whatever the page came with.
function isRefused(form) {
  return form.querySelector("[aria-invalid]") !== null;
}

// The value that the page came with.
function defaultOf(field) {
  if (!choices.includes(field.type)) return field.defaultValue;
  return ([...field.options].find((one) => one.defaultSelected) ?? field.options[0])?.value;
}

function isChanged(field) {
  if (ticks.includes(field.type)) {
    return field.checked !== field.defaultChecked || isRefused(field.form);
  }
  return field.value !== defaultOf(field) || (field.value !== "" && isRefused(field.form));
}

function changedForms() {
  return [...document.querySelectorAll("form[method=post]:not(:has([type=password]))")]
    .filter((form) => fieldsOf(form).some(isChanged));
}

// A form on whichever page it stands: its address, and what it does with which ad.
function nameOf(form) {
  const told = ["do", "ad"].map((one) => form.querySelector(`[type=hidden][name=${one}]`)?.value);
  return JSON.stringify([form.getAttribute("action"), ...told]);
}

// By which the server sees that what is changed was changed meanwhile.
function versionOf(form) {
  return form.querySelector("[type=hidden]:is([name=version], [name=seen_at])");
}

function readTyped() {
  try {
    return JSON.parse(keptInTab("typed")) ?? {};
  } catch {
    return {};
  }
}

// Whether it could be kept.
function writeTyped(typed) {
  return keptInTab("typed", JSON.stringify(typed)) !== null;
}

// The form that is sent is kept for the case that the server is not reached.
let isKept = false;
function keepTyped(sent = null) {
  const typed = readTyped();
  if (sent) delete typed[nameOf(sent)];
  for (const form of changedForms()) {
    typed[nameOf(form)] = {
      visitor: document.body.dataset.visitor,
      page: location.pathname,
      isSent: form === sent,
      version: versionOf(form)?.value,
      fields: fieldsOf(form).map((one) => ({
        name: one.name, type: one.type, value: one.value, checked: one.checked,
        isChanged: isChanged(one) || isRefused(form),
        label: one.labels[0]?.querySelector("span")?.textContent,
      })),
    };
  }
  isKept = writeTyped(typed);
}

function reloadPage() {
  keepTyped();
  location.reload();
}

// Whether the form has a place for what was typed. Of several fields of one name, each takes its own.
function putBack(form, typed) {
  let found = false;
  const fields = fieldsOf(form);
  for (const one of typed.fields) {
    const isTick = ticks.includes(one.type);
    const at = fields.findIndex((field) => field.name === one.name && field.type === one.type &&
      (!isTick || field.value === one.value));
    if (at < 0) continue;
    const [field] = fields.splice(at, 1);
    if (!one.isChanged) continue;
    found = true;
    if (isTick) field.checked = one.checked;
    else field.value = one.value;
    if (!isChanged(field)) continue;
    for (let at = field.closest("details"); at; at = at.parentElement.closest("details")) at.open = true;
    if (versionOf(form) && typed.version !== undefined) versionOf(form).value = typed.version;
  }
  return found;
}

// What was typed on this page into a form that it has no more.
function showLost(typed) {
  const template = document.querySelector("[data-typed-lost]");
  const written = typed.fields.filter((one) =>
    one.isChanged && texts.includes(one.type) && one.value);
  if (!template || !written.length) return;
  const lost = template.content.cloneNode(true);
  const [line] = lost.querySelectorAll("label");
  for (const one of written) {
    const place = line.cloneNode(true);
    place.querySelector("span").textContent = one.label ?? one.name;
    place.querySelector("textarea").value = one.value;
    line.before(place);
  }
  line.remove();
  lost.querySelector("section").setAttribute("role", "alert");
  document.querySelector("[data-said]").after(lost);
}

function restoreTyped() {
  const kept = readTyped();
  const [loaded] = performance.getEntriesByType("navigation");
  const forms = [...document.querySelectorAll("form[method=post]")];
  const isPassing = document.querySelector("[data-failure], [type=password]") !== null;
  for (const [name, typed] of Object.entries(kept)) {
    const isAnothers = typed.visitor !== document.body.dataset.visitor;
    if (isAnothers && isPassing) continue;
    if (loaded.type === "back_forward") typed.isSent = false; // what answers it was not shown
    if (isAnothers || typed.isSent) {
      delete kept[name];
    } else if (forms.some((form) => nameOf(form) === name && putBack(form, typed))) {
      delete kept[name];
    } else if (`${location.pathname}/`.startsWith(`${typed.page}/`)) {
      showLost(typed);
      if (!isPassing) delete kept[name];
    }
  }
  writeTyped(kept);
}

function warnOfLoss(event) {
  if (!isKept) event.preventDefault();
}

// The page is left without a question where nothing was typed; so it may stay in the browser's memory.
function guardTyped() {
  isKept = false;
  const isTyped = changedForms().some((form) =>
    fieldsOf(form).some((one) => texts.includes(one.type) && isChanged(one)));
  if (isTyped) addEventListener("beforeunload", warnOfLoss);
  else removeEventListener("beforeunload", warnOfLoss);
}

restoreTyped();
guardTyped();
document.addEventListener("input", guardTyped);
document.addEventListener("reset", () => setTimeout(guardTyped)); // once it is done
addEventListener("pageshow", guardTyped);
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  // Another user's eyes are not meant for it.
  if (event.target.matches("[action='/sign-out'], [action='/user']")) writeTyped({});
  else keepTyped(event.target);
});
