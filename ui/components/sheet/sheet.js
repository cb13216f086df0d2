// One picture of many cells, each a button of its own without being one: pointer and arrow keys find the cell by its
// place. With a bus the choice is told to whoever listens in this window (the stepper, which asks the server), and
// what is shown comes back the same way, so that the picture is never sent again for a step. Without one it is a
// trigger of this component.

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".sheet");
  const find = (selector) => root.querySelector(selector);
  const page = find(".page"), image = find("img"), scroll = find(".scroll"), readout = find(".readout");
  const state = (root.cam ??= { at: -1 });
  Object.assign(state, { data, trigger: setTriggerValue });
  const { columns, count, pitch, cell, size, ids, tips } = data;
  const ready = Boolean(data.src);

  const style = (name, value) => root.style.setProperty(name, value);
  style("--ratio", String(size[1] / size[0]));
  style("--columns", String(columns));
  style("--cell", `${(cell[0] / size[0]) * 100}%`);
  style("--pitch", `${(pitch[0] / size[0]) * 100}%`);
  style("--labels", data.labels.length ? data.label_width : "0");
  style("--tallest", data.tallest);
  style("--widest", data.widest);
  root.setAttribute("aria-label", data.label);
  if (ready) { if (image.getAttribute("src") !== data.src) image.src = data.src; } else image.removeAttribute("src");
  image.alt = data.label;
  page.dataset.empty = ready ? "0" : "1";

  const bar = find(".bar");
  bar.hidden = !data.bar;
  if (data.bar) {
    const [low, high] = bar.querySelectorAll("span");
    low.textContent = data.bar.low;
    high.textContent = data.bar.high;
    const strip = bar.querySelector("i");
    strip.style.background = data.bar.gradient;
    strip.setAttribute("aria-label", `Colours from ${data.bar.low} to ${data.bar.high}`);
  }

  const rest = () => (state.at >= 0 && tips[state.at]) || (ready ? data.hint : "");

  const frame = (node, at) => {
    node.hidden = !ready || at < 0;
    if (node.hidden) return;
    const row = Math.floor(at / columns), column = at % columns;
    Object.assign(node.style, {
      left: `${((column * pitch[1]) / size[1]) * 100}%`, width: `${(cell[1] / size[1]) * 100}%`,
      top: `${((row * pitch[0]) / size[0]) * 100}%`, height: `${(cell[0] / size[0]) * 100}%`,
    });
  };

  const show = (at, follow) => {
    state.at = at;
    frame(find(".at"), at);
    readout.textContent = rest();
    if (!follow || at < 0 || !ready) return;
    const tall = page.clientHeight / (size[0] / pitch[0]);
    const top = Math.floor(at / columns) * tall;
    if (top < scroll.scrollTop) scroll.scrollTop = top;
    else if (top + tall > scroll.scrollTop + scroll.clientHeight) scroll.scrollTop = top + tall - scroll.clientHeight;
  };

  const pick = (at) => {
    if (!ready || at < 0 || at >= count || ids[at] === null) return;
    show(at, true);
    if (data.bus) window.dispatchEvent(new CustomEvent(`cam-pick-${data.bus}`, { detail: ids[at] }));
    else state.trigger("picked", ids[at]);
  };

  const under = (event) => {
    const box = page.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * size[1], y = ((event.clientY - box.top) / box.height) * size[0];
    const column = Math.floor(x / pitch[1]), row = Math.floor(y / pitch[0]);
    const at = row * columns + column;
    return x < 0 || y < 0 || column >= columns || at >= count || ids[at] === null ? -1 : at;
  };

  page.onpointermove = (event) => {
    const at = under(event);
    frame(find(".hover"), at);
    readout.textContent = at < 0 ? rest() : tips[at];
  };
  page.onpointerleave = () => { find(".hover").hidden = true; readout.textContent = rest(); };
  page.onclick = (event) => pick(under(event));
  root.onkeydown = (event) => {
    if (event.target !== root || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = {
      ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns,
      PageDown: 5 * columns, PageUp: -5 * columns, Home: -count, End: count,
    }[event.key];
    if (step === undefined || !ready) return;
    event.preventDefault();
    let at = Math.max(0, Math.min(count - 1, state.at < 0 ? 0 : state.at + step));
    while (at > 0 && ids[at] === null) at -= 1;
    if (at !== state.at) pick(at);
  };

  find(".labels").replaceChildren(...data.labels.map(({ title, note, id, tip }, row) => {
    const button = document.createElement("button");
    button.type = "button";
    button.style.top = `${((row * pitch[0]) / size[0]) * 100}%`;
    button.style.height = `${(cell[0] / size[0]) * 100}%`;
    const name = document.createElement("b"), small = document.createElement("small");
    name.textContent = title;
    small.textContent = note;
    button.append(name, small);
    button.title = tip;
    button.onclick = () => state.trigger("picked", id);
    return button;
  }));

  // ---- what is shown elsewhere is framed here

  const shown = (follow) => {
    const id = data.bus ? window[`camShown${data.bus}`] : data.chosen ?? undefined;
    show(id === undefined ? -1 : ids.indexOf(id), follow);
  };
  state.hear ??= () => state.shown(true);
  state.shown = shown;
  if (data.bus && !state.listening) {
    window.addEventListener(`cam-shown-${data.bus}`, state.hear);
    state.listening = data.bus;
  }
  if (state.src !== data.src) { state.src = data.src; scroll.scrollTop = 0; }
  shown(false);

  return () => {
    if (state.listening) window.removeEventListener(`cam-shown-${state.listening}`, state.hear);
    state.listening = null;
  };
}
