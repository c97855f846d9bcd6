// The page's script: the form, the switches, and a refresh of the live parts every second.
"use strict";

const $ = (id) => document.getElementById(id);
const keyName = document.body.dataset.keyName;
const form = $("edit-form");
const inputs = [...form.querySelectorAll("[data-kind]")];
const REFRESH_MS = 1000;

/** The record in the form: its key (null for a new one), its fields before the edit, its version. */
let open = null;
let versions = null;

const toText = (value) => (value === null || value === undefined ? "" : String(value));

function toValue(input) {
  const text = input.value;
  switch (input.dataset.kind) {
    case "number": {
      const plain = text.trim();
      return plain !== "" && Number.isFinite(Number(plain)) ? Number(plain) : text; // the app says what is wrong
    }
    case "flag":
      return text === "true";
    case "option":
      return Number(text);
    case "note":
      return text.trim() === "" ? null : text;
    default:
      return text;
  }
}

function say(text, kind) {
  const message = $("message");
  message.textContent = text;
  message.className = kind;
  message.hidden = false;
}

function show(key, fields, version) {
  open = { key, fields, version };
  $("edit-title").textContent = key === null ? $("new").textContent : `Edit ${key}`;
  $("key").value = key ?? "";
  $("key").readOnly = key !== null;
  for (const input of inputs) {
    input.value = toText(key === null ? JSON.parse(input.dataset.initial) : fields[input.name]);
  }
  $("delete").hidden = key === null;
  $("delete").textContent = "Delete";
  $("stale").hidden = true;
  $("message").hidden = true;
  form.hidden = false;
  markOpen();
  (key === null ? $("key") : inputs[0]).focus();
}

function close() {
  open = null;
  form.hidden = true;
  markOpen();
}

async function post(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return response.json();
}

/** Sends a change and shows how it ended. The form stays open when the app refuses the change. */
async function send(path, body, doing) {
  const buttons = form.querySelectorAll("button");
  buttons.forEach((button) => (button.disabled = true));
  say(doing, "busy");
  try {
    const answer = await post(path, body);
    say(answer.ok ? answer.message : answer.error, answer.ok ? "ok" : "error");
    if (answer.ok) close();
  } catch {
    say("Not saved: this app does not answer.", "error");
  } finally {
    buttons.forEach((button) => (button.disabled = false));
    $("delete").textContent = "Delete";
    refresh();
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const fields = {};
  for (const input of inputs) {
    const value = toValue(input);
    // Sends only the fields that the person changed, so that changes of others to other fields stay.
    const known = open.fields[input.name] ?? null;
    const same = value === known || (input.dataset.kind === "note" && value === null && known === "");
    if (open.key === null || !same) fields[input.name] = value;
  }
  if (Object.keys(fields).length === 0) {
    say("Nothing to save: no field was changed.", "busy");
    return;
  }
  send("/edit", { key: $("key").value, fields }, "Saving …");
});

$("delete").addEventListener("click", () => {
  if ($("delete").textContent === "Delete") {
    $("delete").textContent = "Really delete?";
  } else {
    send("/delete", { key: open.key }, "Deleting …");
  }
});

$("cancel").addEventListener("click", close);
$("new").addEventListener("click", () => show(null, {}, 0));

$("rows").addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-key]");
  if (row && event.target.closest("button")) {
    show(row.dataset.key, JSON.parse(row.dataset.record), Number(row.dataset.version));
  }
});

// --- switches

const switchForm = $("switch-form");

function showSwitchOptions() {
  const mode = $("switch").value;
  switchForm.classList.toggle("broken", mode !== "normal");
  for (const label of switchForm.querySelectorAll("[data-only]")) label.hidden = label.dataset.only !== mode;
}

switchForm.addEventListener("change", async () => {
  showSwitchOptions();
  const remaining = Number($("remaining").value);
  await post("/switches", {
    mode: $("switch").value,
    delay_ms: Number($("delay").value),
    retry_after_seconds: Number($("retry-after").value),
    remaining: remaining > 0 ? remaining : null,
  });
});
switchForm.addEventListener("submit", (event) => event.preventDefault());

const habitForm = $("habit-form");
const habits = [...habitForm.querySelectorAll("input")];

habitForm.addEventListener("change", (event) => {
  const { name, type, checked, value } = event.target;
  post("/switches", { [name]: type === "checkbox" ? checked : Math.max(0, Math.floor(Number(value) || 0)) });
});
habitForm.addEventListener("submit", (event) => event.preventDefault());

function showHabits(now) {
  if (habitForm.contains(document.activeElement)) return;
  for (const input of habits) {
    if (input.type === "checkbox") input.checked = now[input.name];
    else input.value = now[input.name];
  }
}

function showSwitch(now) {
  if (switchForm.contains(document.activeElement) && document.activeElement !== $("switch")) return;
  $("switch").value = now.mode;
  $("remaining").value = now.remaining ?? "";
  showSwitchOptions();
}

// --- the live parts

function markChanges() {
  const now = new Map();
  for (const row of $("rows").querySelectorAll("tr[data-key]")) {
    now.set(row.dataset.key, row.dataset.version);
    if (versions && versions.get(row.dataset.key) !== row.dataset.version) row.classList.add("changed");
    if (open && open.key === row.dataset.key) $("stale").hidden = Number(row.dataset.version) === open.version;
  }
  versions = now;
  markOpen();
}

function markOpen() {
  for (const row of $("rows").children) row.classList.toggle("open", open !== null && row.dataset.key === open.key);
}

/** Replaces a part by the server's (escaped) HTML only where it differs, so that a selection or the focus survives. */
function place(parts) {
  for (const [id, html] of Object.entries(parts)) {
    const element = $(id);
    if (element.rendered === html) continue;
    element.rendered = html;
    element.innerHTML = html;
    if (id === "rows") markChanges();
  }
}

let refreshing = false;
async function refresh() {
  if (refreshing) return;
  refreshing = true;
  try {
    const live = await (await fetch("/live")).json();
    place(live.parts);
    showSwitch(live.switch);
    showHabits(live.switch);
    document.body.classList.remove("gone");
  } catch {
    document.body.classList.add("gone");
  } finally {
    refreshing = false;
  }
}

showSwitchOptions();
refresh();
setInterval(refresh, REFRESH_MS);
