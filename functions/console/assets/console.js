// Pages are complete without this. It shows times in the viewer's zone, refreshes what is marked, and adds shortcuts.
"use strict";
(() => {
  const EVERY_MS = 15000;
  const find = (query, root = document) => [...root.querySelectorAll(query)];
  const keep = (name, value) => {
    try {
      if (value !== undefined) localStorage.setItem(name, value);
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  };

  const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
  const clock = new Intl.DateTimeFormat(undefined, { timeStyle: "long" });
  const zone = (at) =>
    new Intl.DateTimeFormat(undefined, { timeZoneName: "short" }).formatToParts(at).find((part) => part.type === "timeZoneName").value;
  const localTimes = (root) => {
    for (const time of find("time[datetime]", root)) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      time.title = `${at.toISOString()} (UTC)`;
      time.textContent = time.classList.contains("clock") ? clock.format(at) : `${full.format(at)} ${zone(at)}`;
    }
  };

  // Nothing changes under somebody's hands: not what has the focus, a selection, a choice, or is being read below an opened line.
  const isInUse = (region) => {
    const selection = getSelection();
    return (
      region.contains(document.activeElement) ||
      (!selection.isCollapsed && selection.containsNode(region, true)) ||
      region.querySelector("input:checked, details[open]") !== null
    );
  };
  const status = document.getElementById("refresh");
  let asOf = new Date();
  const refresh = async () => {
    if (document.hidden || !document.querySelector("[data-live]")) return;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error" });
      if (!answer.ok) throw new Error(answer.status);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const region of find("[data-live][id]")) {
        const next = fresh.getElementById(region.id);
        if (next && next.hasAttribute("data-live") && !isInUse(region)) {
          localTimes(next);
          if (next.textContent !== region.textContent) region.replaceWith(document.adoptNode(next));
        }
      }
      asOf = new Date();
      status.textContent = "";
    } catch {
      status.textContent = `Not refreshed since ${clock.format(asOf)}. Reload the page.`;
    }
  };

  const keys = document.getElementById("keys");
  const areOn = () => keep("keys") !== "off";
  const show = () => keys.setAttribute("aria-pressed", String(areOn()));
  keys.hidden = false;
  keys.addEventListener("click", () => {
    keep("keys", areOn() ? "off" : "on");
    show();
  });
  const step = (by) => {
    const rows = find("[data-row]");
    const at = rows.findIndex((row) => row.contains(document.activeElement));
    const row = rows[Math.min(Math.max(at + by, 0), rows.length - 1)];
    const target = row && (row.querySelector("a") || row);
    if (target) {
      if (target === row) row.tabIndex = -1;
      target.focus();
    }
  };
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.closest("input:not([type=checkbox]), select, textarea");
    if (!areOn() || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") {
      const field = document.querySelector("[data-find]");
      if (field) {
        event.preventDefault();
        field.focus();
      }
    } else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
  });

  show();
  localTimes(document);
  setInterval(refresh, EVERY_MS);
  document.addEventListener("visibilitychange", refresh);
})();
