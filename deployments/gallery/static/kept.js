// What a browser keeps under a name, after a value was kept there; null: nothing, or it keeps nothing.
"use strict";

// For its user.
function kept(name, value) {
  return keptIn("localStorage", name, value);
}

// Until the tab is closed.
function keptInTab(name, value) {
  return keptIn("sessionStorage", name, value);
}

function keptIn(storage, name, value) {
  try {
    if (value !== undefined) window[storage].setItem(name, value);
    return window[storage].getItem(name);
  } catch {
    return null;
  }
}
