// A network's stages as a strip, and a list of its layers that opens beneath it, over the page; where it is compact,
// without the strip: the list then has all stages, each under its own heading. Searching and browsing happen here; only
// a choice goes to the server. Text from outside is set as text, never as HTML.

const KINDS = {
  convolution: "#3b82c4", activation: "#d08420", pooling: "#8a63c9", merge: "#c4473a",
  normalisation: "#6f8f3a", padding: "#8b9894", dense: "#8b9894", block: "#1f9a91",
};
const RAILS = ["#1f9a91", "#d08420", "#8a63c9", "#3b82c4", "#c4473a", "#6f8f3a"];
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const MOST = 400;
const WIDEST = 704, MARGIN = 16;  // of the list where it is compact, in pixels

function element(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".layers");
  const find = (selector) => root.querySelector(selector);
  const search = find(".search"), panel = find(".panel"), list = find(".list"), strip = find(".strip");
  const state = (root.cam ??= { open: false, stage: null, at: -1, shown: [], rows: [] });
  Object.assign(state, { data, pick: (path) => setTriggerValue("picked", path) });
  const { layers, stages } = data;
  const byPath = new Map(layers.map((layer) => [layer.path, layer]));
  const chosen = byPath.get(data.chosen);
  const usable = layers.filter((layer) => layer.usable).length;

  root.dataset.compact = data.compact ? "1" : "0";
  find(".title").textContent = data.label;
  search.placeholder = data.closed || (layers.length ? `Search ${usable} layers: name, kind, grid` : "Once the network is loaded");
  search.title = usable ? `${usable} layers have a grid, so that a map can be drawn of them` : "";
  search.disabled = !layers.length;
  search.setAttribute("aria-label", data.label);
  strip.setAttribute("aria-label", `${data.label}: the network's stages, from the picture to the scores`);
  find(".chosen b").textContent = chosen ? chosen.path : "\u00a0";
  find(".chosen span").textContent = chosen ? [
    `${chosen.grid}, ${chosen.channels} ${data.compact ? "ch." : "channels"}`, !data.compact && chosen.field && `each cell sees ${chosen.field}`,
    chosen.recommended ? "★ recommended" : "",
  ].filter(Boolean).join(" · ") : "";
  find(".chosen").title = chosen ? `${chosen.path}: ${chosen.reason}` : "";

  // ---- the strip

  const wanted = stages.length ? stages : Array.from({ length: 5 }, (_, i) => ({ empty: true, side: 112 >> i, channels: 32 << i }));
  const tallest = Math.max(...wanted.map((stage) => stage.side || 1));
  strip.replaceChildren(...wanted.map((stage, i) => {
    const button = element("button", "stage");
    button.type = "button";
    button.style.setProperty("--wide", String(Math.max(3, Math.log2(Math.max(2, stage.channels || 2)))));
    button.style.setProperty("--tall", `${0.75 + 2.35 * Math.sqrt((stage.side || 1) / tallest)}rem`);
    button.append(element("i"), element("span", "grid", stage.title ?? "\u00a0"), element("span", "count", stage.note ?? "\u00a0"));
    button.disabled = Boolean(stage.empty);
    Object.assign(button.dataset, {
      empty: stage.empty ? "1" : "0", star: stage.recommended ? "1" : "0", off: stage.usable || stage.empty ? "0" : "1",
      chosen: chosen && chosen.stage === i ? "1" : "0",
    });
    if (stage.empty) {
      button.setAttribute("aria-hidden", "true");  // only space
    } else {
      button.title = `${stage.title}: ${stage.note}. Press to see its layers`;
      button.setAttribute("aria-label", `${stage.title}, ${stage.note}${stage.recommended ? ", holds the recommended layer" : ""}`);
      button.setAttribute("aria-haspopup", "listbox");
      button.onclick = () => (state.open && state.stage === i ? close() : open(i));
    }
    return button;
  }));

  // ---- the list

  const matches = () => {
    const words = search.value.toLowerCase().replaceAll("×", "x").split(/\s+/).filter(Boolean);
    if (!words.length) return data.compact ? layers : layers.filter((layer) => layer.stage === state.stage);
    return layers.filter((layer) => words.every((word) => layer.text.includes(word)));
  };

  const fill = () => {
    const found = matches();
    state.shown = found.slice(0, MOST);
    const searching = Boolean(search.value.trim());
    const stage = data.compact ? null : stages[state.stage];
    find(".head").textContent = searching
      ? `${found.length} of ${layers.length} layers${found.length > MOST ? `, the first ${MOST} shown` : ""}`
      : stage ? `${stage.title}: ${stage.note}. ${data.why}` : data.why;
    let before = [];
    state.rows = state.shown.map((layer, i) => {
      const row = element("div", "row");
      row.id = `option-${i}`;
      row.setAttribute("role", "option");
      row.setAttribute("aria-selected", String(layer === chosen));
      row.setAttribute("aria-disabled", String(!layer.usable));
      row.dataset.star = layer.recommended ? "1" : "0";
      const name = element("span", "name");
      layer.seats.forEach(([end, branch, branches], depth) => {
        const same = before[depth] && before[depth][0] === end && before[depth][1] === branch;
        const rail = element("span", "rail", same || branches < 2 ? "" : LETTERS[branch] ?? "·");
        rail.style.setProperty("--rail", RAILS[branch % RAILS.length]);
        rail.title = branches > 1 ? `Branch ${LETTERS[branch] ?? branch + 1} of ${branches} into ${end}` : `The branch into ${end}`;
        name.append(rail);
      });
      before = layer.seats;
      name.append(element("span", "", layer.path));
      const kind = element("span", "kind", layer.kind);
      if (KINDS[layer.kind]) kind.style.setProperty("--kind", KINDS[layer.kind]);
      row.append(name, kind);
      if (layer.usable) {
        const tags = [
          layer.recommended && "★ recommended", layer.joins,
          !layer.recommended && layer.rung && "last of its grid",
        ].filter(Boolean).join(" · ");
        row.append(element("span", "", layer.grid), element("span", "", `${layer.channels} ch.`), element("span", "tags", tags));
      } else row.append(element("span", "why", layer.reason));
      const seat = layer.seats.map(([end, branch, n]) => (n > 1 ? `branch ${LETTERS[branch] ?? branch + 1} of ${n} into ${end}` : `the branch into ${end}`)).join(", in ");
      row.title = [layer.path, layer.field && `each cell sees ${layer.field}`, seat, layer.reason].filter(Boolean).join("\n");
      row.onpointermove = () => mark(i, false);
      row.onclick = () => choose(i);
      return row;
    });
    list.replaceChildren(...state.rows);
    if (!stage && !searching) headings();
    if (!state.shown.length) list.append(element("div", "none", "No layer fits. Try a part of its name, “pooling”, or “14x14”."));
    mark(state.shown.findIndex((layer) => layer === chosen), true);
  };

  const headings = () => {
    state.shown.forEach((layer, i) => {
      if (i && state.shown[i - 1].stage === layer.stage) return;
      const heading = element("div", "group", `${stages[layer.stage].title} · ${stages[layer.stage].note}`);
      heading.setAttribute("role", "presentation");
      state.rows[i].before(heading);
    });
  };

  const mark = (at, scroll) => {
    list.querySelector('[data-at="1"]')?.removeAttribute("data-at");
    state.at = at;
    const row = state.rows[at];
    if (!row || at < 0) { search.removeAttribute("aria-activedescendant"); return; }
    row.dataset.at = "1";
    search.setAttribute("aria-activedescendant", row.id);
    if (scroll) list.scrollTop += row.getBoundingClientRect().top - list.getBoundingClientRect().top - list.clientHeight / 2;
  };

  const choose = (at) => {
    const layer = state.shown[at];
    if (!layer?.usable) return;
    close();
    if (layer !== chosen) state.pick(layer.path);
  };

  // The list is wider than a compact chooser: it begins at its left edge, but ends within the window.
  const place = () => {
    const { left } = root.getBoundingClientRect();
    const width = Math.min(WIDEST, innerWidth - 2 * MARGIN);
    panel.style.width = `${width}px`;
    panel.style.left = `${Math.min(0, innerWidth - MARGIN - width - left)}px`;
  };

  const open = (stage, typed = false) => {
    if (!layers.length) return;
    if (stage !== null) { state.stage = stage; if (!typed) search.value = ""; }
    state.open = true;
    panel.hidden = false;
    if (data.compact) place();
    search.setAttribute("aria-expanded", "true");
    [...strip.children].forEach((button, i) => { button.dataset.open = i === state.stage && !search.value ? "1" : "0"; });
    fill();
    search.focus({ preventScroll: true });
    panel.scrollIntoView({ block: "nearest" });
  };

  const close = () => {
    state.open = false;
    panel.hidden = true;
    search.value = "";
    search.setAttribute("aria-expanded", "false");
    for (const button of strip.children) button.dataset.open = "0";
  };

  search.oninput = () => open(state.stage ?? (chosen ? chosen.stage : 0), true);
  search.onclick = () => { if (!state.open) open(chosen ? chosen.stage : 0); };
  search.onkeydown = (event) => {
    const { key } = event;
    if (key === "Escape") { close(); return; }
    if (key === "Enter" && state.open) { choose(state.at >= 0 ? state.at : state.shown.findIndex((layer) => layer.usable)); event.preventDefault(); return; }
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[key];
    if (!step) return;
    event.preventDefault();
    if (!state.open) { open(chosen ? chosen.stage : 0); return; }
    let at = Math.max(0, Math.min(state.shown.length - 1, state.at + step));
    while (state.shown[at] && !state.shown[at].usable && state.shown[at + Math.sign(step)]) at += Math.sign(step);
    mark(at, true);
  };
  root.onfocusout = (event) => { if (state.open && !root.contains(event.relatedTarget)) state.leaving = setTimeout(close, 120); };
  root.onfocusin = () => clearTimeout(state.leaving);
  panel.onpointerdown = (event) => { if (event.target !== list) event.preventDefault(); };  // the search box keeps the focus

  if (state.open) fill();
  return () => clearTimeout(state.leaving);
}
