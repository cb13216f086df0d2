// Runs again on every change of data or theme: it finds its nodes, hands them the new data and attaches
// its listeners once. The handle's place lives on the node, so that a new overlay does not move it.

const HINT = `${matchMedia("(hover: none)").matches ? "Press" : "Point at"} the picture to read the map`;

function floats(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

function number(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 100000)) return value.toExponential(2);
  return value.toFixed(size >= 100 ? 1 : size >= 1 ? 2 : 4);
}

// The tallest the picture may be, so that the sentence above and the controls below share one screen.
function room() {
  return Math.max(240, Math.min(window.innerHeight * 0.6, 820));
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const find = (selector) => parentElement.querySelector(selector);
  const stage = find(".stage");
  const handle = find(".handle");
  const cell = find(".cell");
  const readout = find(".readout");
  const panes = { original: find(".pane-original"), overlay: find(".pane-overlay") };

  const state = (stage.cam ??= { at: 25 });
  state.data = data;
  state.raw = data.grid ? floats(data.grid.raw) : null;
  state.values = data.grid ? floats(data.grid.values) : null;

  const setImage = (image, src, alt) => {
    if (src) { if (image.getAttribute("src") !== src) image.src = src; } else image.removeAttribute("src");
    image.alt = alt;
  };
  setImage(find(".original"), data.original, data.alt[0]);
  setImage(find(".overlay"), data.overlay, data.alt[1]);
  find(".pane-overlay .tag").textContent = data.tag;
  stage.dataset.mode = data.mode;
  stage.dataset.empty = data.overlay ? "0" : "1";
  find(".veil").hidden = !data.busy;
  find(".bar").style.background = data.gradient;
  find(".bar").setAttribute("aria-label", `Colours from 0 to ${data.maximum}`);
  find(".end.top").textContent = data.maximum;
  readout.textContent = data.grid ? HINT : "";
  cell.hidden = true;

  const place = (at) => {
    state.at = Math.max(0, Math.min(100, at));
    stage.style.setProperty("--at", `${state.at}%`);
    const shown = Math.round(100 - state.at);
    handle.setAttribute("aria-valuenow", String(shown));
    handle.setAttribute("aria-valuetext", `${shown} % overlay`);
  };

  const measure = () => {
    const { width, height, mode } = state.data;
    const side = mode === "side by side";
    const ratio = (side ? 2 : 1) * (width / height);
    stage.style.aspectRatio = String(ratio);
    const widest = `min(100%, ${Math.round(room() * ratio)}px)`;
    stage.style.width = widest;
    find(".foot").style.width = widest;
  };

  // Which cell of the map lies under the pointer, by the same geometry that drew the overlay.
  const pixel = (event) => {
    const { width, height, mode } = state.data;
    const pane = mode === "side by side" && event.clientX < panes.overlay.getBoundingClientRect().left
      ? panes.original : panes.overlay;
    const box = pane.getBoundingClientRect();
    return [((event.clientY - box.top) / box.height) * height, ((event.clientX - box.left) / box.width) * width];
  };
  const point = (event) => {
    const { grid, width, height } = state.data;
    if (!grid) return;
    const [y, x] = pixel(event);
    const [top, left, bottom, right] = grid.seen;
    if (x < 0 || y < 0 || x > width || y > height) return;
    if (x < left || x > right || y < top || y > bottom) {
      cell.hidden = true;
      readout.textContent = "Outside what the network saw";
      return;
    }
    const along = (pixel, axis, count) => {
      const input = grid.scale[axis] * (pixel - 0.5) + grid.shift[axis];
      return Math.max(0, Math.min(count - 1, Math.round((input - grid.first[axis]) / grid.stride[axis])));
    };
    const row = along(y, 0, grid.rows);
    const column = along(x, 1, grid.columns);
    const raw = state.raw[row * grid.columns + column];
    const share = state.values[row * grid.columns + column];
    readout.textContent =
      `${Math.round(share * 100)} % of the maximum · raw ${number(raw)} · row ${row + 1}, column ${column + 1} of ${grid.rows}×${grid.columns}`;
    const edge = (index, axis, low, high) => {
      const input = grid.first[axis] + (index - 0.5) * grid.stride[axis];
      return Math.max(low, Math.min(high, (input - grid.shift[axis]) / grid.scale[axis] + 0.5));
    };
    // The stride is negative where the layer sees the picture mirrored: the next cell then lies before this one.
    const sides = (index, axis, low, high) =>
      [edge(index, axis, low, high), edge(index + 1, axis, low, high)].sort((a, b) => a - b);
    const [x0, x1] = sides(column, 1, left, right);
    const [y0, y1] = sides(row, 0, top, bottom);
    Object.assign(cell.style, {
      left: `${(x0 / width) * 100}%`, width: `${((x1 - x0) / width) * 100}%`,
      top: `${(y0 / height) * 100}%`, height: `${((y1 - y0) / height) * 100}%`, boxSizing: "border-box",
    });
    cell.hidden = false;
  };

  place(state.at);
  measure();
  if (!state.observer) {
    state.observer = new ResizeObserver(measure);
    state.observer.observe(document.documentElement);
  }

  // Where places can be chosen, a press that does not move chooses one and leaves the handle where it is.
  const pick = (event) => {
    const { grid, width, height } = state.data;
    const [y, x] = pixel(event);
    if (y < grid.seen[0] || y > grid.seen[2] || x < grid.seen[1] || x > grid.seen[3]) return;
    setTriggerValue("picked", `${((y / height) * 100).toFixed(2)}-${((x / width) * 100).toFixed(2)}`);
  };

  let dragging = false;
  let pressed = null;
  const drag = (event) => {
    const box = stage.getBoundingClientRect();
    place(((event.clientX - box.left) / box.width) * 100);
  };
  stage.onpointerdown = (event) => {
    if (!state.data.overlay || event.button !== 0) return;
    if (state.data.picks && !handle.contains(event.target)) pressed = [event.clientX, event.clientY];
    if (state.data.mode !== "compare") return;
    dragging = pressed === null;
    stage.setPointerCapture(event.pointerId);
    if (dragging) drag(event);
    handle.focus({ preventScroll: true, focusVisible: false });
    event.preventDefault();
  };
  stage.onpointermove = (event) => {
    if (pressed && Math.hypot(event.clientX - pressed[0], event.clientY - pressed[1]) > 4) {
      pressed = null;
      dragging = state.data.mode === "compare";
    }
    if (dragging) drag(event);
    point(event);
  };
  stage.onpointerup = (event) => {
    if (pressed) pick(event);
    dragging = false;
    pressed = null;
  };
  stage.onpointercancel = () => { dragging = false; pressed = null; };
  stage.onpointerleave = () => {
    cell.hidden = true;
    readout.textContent = state.data.grid ? HINT : "";
  };
  handle.onkeydown = (event) => {
    const step = event.shiftKey ? 10 : 2;
    // The slider's value is the overlay's share: right and up show more of it.
    const to = {
      ArrowRight: state.at - step, ArrowUp: state.at - step, ArrowLeft: state.at + step, ArrowDown: state.at + step,
      PageUp: state.at - 20, PageDown: state.at + 20, Home: 100, End: 0,
    }[event.key];
    if (to === undefined) return;
    place(to);
    event.preventDefault();
  };

  return () => {
    state.observer?.disconnect();
    state.observer = null;
  };
}
