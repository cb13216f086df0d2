// Many maps on one photograph. The browser has each map's own grid and draws it by itself, so opacity, colours,
// scale and differences cost the server nothing but the run of its script. Runs again on every change of data or
// theme: it keeps its nodes and draws a canvas anew only where what it shows has changed.

const GAP = 12;
const CAPTION = 42;
const CAPTION_ONE_LINE = 24;
const NARROWEST = 96;
const ROW_TITLE = 28;
const SHARPEST = 560;  // pixels of a canvas's width; larger ones are scaled up
const ICONS = {
  pin: "M9 4h6l-1 6 3 3v2H7v-2l3-3zM12 15v6",
  open: "M14 4h6v6M20 4l-9 9M18 14v5H5V6h5",
};

function words(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  return new Uint16Array(bytes.buffer);
}

// 256 colours, each as the four bytes of a pixel: opaque, or as opaque as the value is large.
const tables = new Map();

function table(base64, byValue, signed) {
  const key = `${byValue} ${signed} ${base64}`;
  if (!tables.has(key)) {
    const rgb = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const bytes = new Uint8Array(1024).fill(255);
    for (let i = 0; i < 256; i++) {
      bytes.set(rgb.subarray(3 * i, 3 * i + 3), 4 * i);
      if (byValue) bytes[4 * i + 3] = signed ? Math.round((Math.abs(i - 128) / 127) * 255) : i;
    }
    tables.set(key, new Uint32Array(bytes.buffer));
  }
  return tables.get(key);
}

// One address for a photograph, however many frames show it: it is decoded once.
const photos = new Map();

function address(dataUrl) {
  if (!photos.has(dataUrl)) {
    const [head, body] = dataUrl.split(",");
    const bytes = Uint8Array.from(atob(body), (c) => c.charCodeAt(0));
    photos.set(dataUrl, URL.createObjectURL(new Blob([bytes], { type: head.slice(5, head.indexOf(";")) })));
    if (photos.size > 12) {
      const [oldest, url] = photos.entries().next().value;
      photos.delete(oldest);
      URL.revokeObjectURL(url);
    }
  }
  return photos.get(dataUrl);
}

function number(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 0.001 || size >= 100000)) return value.toExponential(2);
  return value.toFixed(size >= 100 ? 1 : size >= 1 ? 2 : 4);
}

const percent = (share) => `${Math.round(share * 100)}\u00a0%`;

// ---- a map's grid: raw values and where its cells lie on the photograph

const grids = new Map();  // decoded once

function raws(grid) {
  const { low, high } = grid;
  const key = `${low} ${high} ${grid.data}`;  // maps in proportion to each other differ in their range only
  let found = grids.get(key);
  if (!found) {
    found = Float32Array.from(words(grid.data), (word) => low + (word / 65535) * (high - low));
    grids.set(key, found);
    if (grids.size > 256) grids.delete(grids.keys().next().value);
  }
  return found;
}

// What a cell shows: 0..1 of the scale's top, or -1..1 for maps that are shown with both signs.
function shown(cell) {
  return raws(cell.grid).map((raw) => {
    const value = raw / cell.top;
    return cell.signed ? Math.max(-1, Math.min(1, value)) : Math.max(0, Math.min(1, value));
  });
}

function onCells(grid, pixels, axis, count) {
  return pixels.map((pixel) => {
    const input = grid.scale[axis] * pixel + grid.shift[axis];
    return Math.max(0, Math.min(count - 1, (input - grid.first[axis]) / grid.stride[axis]));
  });
}

// Values at the photograph's pixels (ys × xs, pixel indices), as the core draws them: bilinear between the
// centres of cells, or the nearest cell; beyond the outermost centres the border cell's value holds.
function sample(grid, values, ys, xs, smooth) {
  const rows = onCells(grid, ys, 0, grid.rows);
  const columns = onCells(grid, xs, 1, grid.columns);
  const out = new Float32Array(ys.length * xs.length);
  const [top, left, bottom, right] = grid.seen;
  const within = xs.map((x) => x + 0.5 >= left && x + 0.5 <= right);
  const lefts = Int32Array.from(columns, Math.floor);
  const shares = Float32Array.from(columns, (c, i) => c - lefts[i]);
  for (let j = 0; j < ys.length; j++) {
    const outside = ys[j] + 0.5 < top || ys[j] + 0.5 > bottom;
    const above = Math.floor(rows[j]);
    const share = rows[j] - above;
    const near = Math.round(rows[j]) * grid.columns;
    const a = above * grid.columns;
    const b = Math.min(above + 1, grid.rows - 1) * grid.columns;
    for (let i = 0; i < xs.length; i++) {
      const at = j * xs.length + i;
      if (outside || !within[i]) { out[at] = NaN; continue; }
      if (!smooth) { out[at] = values[near + Math.round(columns[i])]; continue; }
      const l = lefts[i], r = Math.min(l + 1, grid.columns - 1);
      const upper = values[a + l] + shares[i] * (values[a + r] - values[a + l]);
      const lower = values[b + l] + shares[i] * (values[b + r] - values[b + l]);
      out[at] = upper + share * (lower - upper);
    }
  }
  return out;
}

function nearest(grid, y, x) {
  const [top, left, bottom, right] = grid.seen;
  if (y < top || y > bottom || x < left || x > right) return null;
  const row = Math.round(onCells(grid, [y - 0.5], 0, grid.rows)[0]);
  const column = Math.round(onCells(grid, [x - 0.5], 1, grid.columns)[0]);
  return row * grid.columns + column;
}

// ---- drawing

function paint(canvas, values, width, colours, signed) {
  canvas.width = width;
  canvas.height = values.length / width;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value !== value) continue;  // not seen: stays transparent
    pixels[i] = colours[signed ? Math.round(value * 127) + 128 : Math.round(value * 255)];
  }
  context.putImageData(image, 0, 0);
}

function icon(kind) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[kind]);
  svg.append(path);
  return svg;
}

function element(tag, name, ...children) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.append(...children);
  return made;
}

function figure() {
  const made = element("figure", "");
  const frame = element("div", "frame");
  const image = element("img");
  image.draggable = false;
  const seen = element("div", "seen", element("canvas"));
  const probe = element("div", "probe");
  probe.hidden = true;
  const pin = element("button", "pin", icon("pin"));
  const open = element("button", "open", icon("open"));
  pin.type = open.type = "button";
  frame.append(image, seen, element("div", "message"), element("div", "tags"), probe,
    element("div", "tools", pin, open), element("div", "veil"));
  made.append(frame, element("figcaption", "", element("div", "title", element("b"), element("span", "value")),
    element("span", "note")));
  return made;
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".maps");
  const state = (root.cam ??= { at: null });
  if (state.data && state.data.photo !== data.photo) state.at = null;
  Object.assign(state, { data, trigger: setTriggerValue });
  const { colours, diverging, by_value: byValue } = data.look;
  state.tables = { plain: table(colours, byValue, false), signed: table(diverging, byValue, true) };
  root.setAttribute("aria-label", data.label);
  // The part of the photograph that is shown, (top, left, bottom, right) in its pixels.
  const area = data.area ?? [0, 0, data.size[0], data.size[1]];
  const [tall, broad] = [area[2] - area[0], area[3] - area[1]];
  const ratio = broad / tall;
  root.style.setProperty("--ratio", String(ratio));
  root.style.setProperty("--caption", `${data.flow ? CAPTION - 5 : CAPTION_ONE_LINE - 5}px`);
  root.style.setProperty("--opacity", String(data.look.opacity));

  // ---- nodes

  const body = root.querySelector(".body");
  const shape = JSON.stringify(data.lines.map((line) => line.cells.length));
  if (state.shape !== shape) {
    state.shape = shape;
    body.replaceChildren(...data.lines.map((line) => element("section", "",
      element("div", "row-title"), element("div", "line", ...line.cells.map(figure)))));
    state.figures = [...body.querySelectorAll("figure")];
    state.drawn = [];
  }
  const cells = data.lines.flatMap((line) => line.cells);
  const reference = data.reference ? cells.find((cell) => cell.id === data.reference && cell.grid) : null;
  const differs = (cell) => Boolean(reference && data.differences && cell !== reference && cell.grid);

  const heads = root.querySelector(".heads");
  heads.replaceChildren(...data.heads.map(({ title, note }) => {
    const head = element("div", "head", title);
    head.title = note ? `${title} · ${note}` : title;
    if (note) head.append(element("small", "", note));
    return head;
  }));
  data.lines.forEach((line, i) => {
    const title = body.children[i].querySelector(".row-title");
    title.replaceChildren(...(line.title ? [line.title] : []));
    if (line.note) title.append(element("small", "", line.note));
  });

  const photo = address(data.photo);
  cells.forEach((cell, i) => {
    const node = state.figures[i];
    const find = (selector) => node.querySelector(selector);
    const image = find("img");
    if (image.getAttribute("src") !== photo) image.src = photo;
    Object.assign(image.style, {
      width: `${(data.size[1] / broad) * 100}%`, height: `${(data.size[0] / tall) * 100}%`,
      left: `${(-area[1] / broad) * 100}%`, top: `${(-area[0] / tall) * 100}%`,
    });
    const frame = find(".frame");
    image.alt = cell.alt; // of the photograph beneath the map: the frame itself holds buttons, too
    frame.dataset.empty = cell.grid ? "0" : "1";
    frame.dataset.pinned = cell.id === data.reference ? "1" : "0";
    frame.dataset.tone = cell.signed || differs(cell) ? "gray" : "";
    const message = find(".message");
    message.textContent = cell.message ?? "";
    message.title = cell.why ?? "";
    find(".tags").replaceChildren(
      ...(cell.id === data.reference ? [element("span", "tag strong", "reference")] : []),
      ...(cell.tags ?? []).map((text) => element("span", "tag", text)),
    );
    const veil = find(".veil");
    veil.hidden = !cell.busy;
    if (cell.share != null) {
      veil.dataset.share = "1";
      veil.style.setProperty("--share", `${cell.share * 100}%`);
    } else delete veil.dataset.share;
    find("b").textContent = cell.title;
    find("b").title = cell.title;
    find(".note").textContent = (differs(cell) && cell.figures) || cell.note || "";
    find(".note").title = [cell.note, cell.figures].filter(Boolean).join(" · ");
    const pinned = cell.id === data.reference;
    const pin = find(".pin");
    pin.hidden = !cell.grid || !data.pins;
    pin.setAttribute("aria-pressed", String(pinned));
    pin.title = pinned ? "Unpin the reference" : "Pin as the reference: all others show how they differ from it";
    pin.setAttribute("aria-label", `${pinned ? "Unpin" : "Pin"} ${cell.name}`);
    pin.onclick = () => state.trigger("pinned", cell.id);
    const open = find(".open");
    open.hidden = !cell.grid || !data.opens;
    open.title = "Look at this map in Inspect";
    open.setAttribute("aria-label", `Inspect ${cell.name}`);
    open.onclick = () => state.trigger("opened", cell.id);
  });

  root.querySelector(".bars").replaceChildren(...data.bars.map(({ low, high, gradient }) => {
    const bar = element("span", "bar", element("span", "", low), element("i"), element("span", "", high));
    const strip = bar.querySelector("i");
    strip.style.background = gradient;
    strip.setAttribute("role", "img");
    strip.setAttribute("aria-label", `Colours from ${low} to ${high}`);
    return bar;
  }));

  // ---- layout: as large as the screen lets all lines be seen

  const layout = () => {
    const room = root.clientWidth;
    if (!room) return;
    const height = Math.max(220, window.innerHeight * data.tallest);
    const wide = (count) => (room - GAP * (count - 1)) / count;
    let columns, width;
    if (data.flow) {
      const total = cells.length;
      const fits = (count) => {
        const lines = Math.ceil(total / count);
        return Math.min(wide(count), Math.max(NARROWEST, (height / lines - CAPTION) * ratio));
      };
      const counts = Array.from({ length: Math.max(1, Math.min(total, data.most)) }, (_, i) => i + 1);
      const best = Math.max(...counts.map(fits));
      // Of those that are nearly as large as can be, full lines look calmer than a last one with a map or two.
      const holes = (count) => (count - (total % count)) % count;
      columns = counts.filter((count) => fits(count) >= 0.88 * best)
        .sort((a, b) => holes(a) - holes(b) || fits(b) - fits(a))[0];
      width = fits(columns);
    } else {
      const lines = data.lines.length;
      columns = data.columns;
      const high = height / lines - CAPTION_ONE_LINE - ROW_TITLE;
      width = Math.max(NARROWEST, Math.min(wide(columns), Math.max(150, high * ratio)));
    }
    root.style.setProperty("--columns", String(columns));
    root.style.setProperty("--wide", `${Math.floor(width)}px`);
    body.classList.toggle("scroll", columns * width + GAP * (columns - 1) > room + 2);
    state.width = Math.min(SHARPEST, Math.round(width * Math.min(window.devicePixelRatio || 1, 2)));
  };

  const draw = () => cells.forEach((cell, i) => {
    if (!cell.grid || !state.width) return;
    const other = differs(cell) ? reference : null;
    const { grid } = cell;
    const colouring = cell.signed || other ? diverging : colours;
    const now = [grid.data, grid.low, grid.high, grid.seen.join(), grid.first.join(), grid.stride.join(), cell.top,
      cell.signed, data.look.smooth, colouring, byValue, state.width, area.join(), other && [other.grid.data, other.top, other.signed].join()];
    if (state.drawn[i] && now.every((value, k) => value === state.drawn[i][k])) return;
    state.drawn[i] = now;
    const [top, left, bottom, right] = grid.seen;
    const seen = state.figures[i].querySelector(".seen");
    Object.assign(seen.style, {
      left: `${((left - area[1]) / broad) * 100}%`, width: `${((right - left) / broad) * 100}%`,
      top: `${((top - area[0]) / tall) * 100}%`, height: `${((bottom - top) / tall) * 100}%`,
    });
    const width = Math.max(8, Math.round(state.width * ((right - left) / broad)));
    const height = Math.max(8, Math.round((state.width / ratio) * ((bottom - top) / tall)));
    const xs = Array.from({ length: width }, (_, k) => left + ((k + 0.5) * (right - left)) / width - 0.5);
    const ys = Array.from({ length: height }, (_, k) => top + ((k + 0.5) * (bottom - top)) / height - 0.5);
    const values = sample(grid, shown(cell), ys, xs, data.look.smooth);
    if (other) {
      const base = sample(other.grid, shown(other), ys, xs, data.look.smooth);
      for (let k = 0; k < values.length; k++) values[k] = Math.max(-1, Math.min(1, values[k] - base[k]));
    }
    paint(seen.querySelector("canvas"), values, width, state.tables[cell.signed || other ? "signed" : "plain"],
      Boolean(cell.signed || other));
  });

  const refresh = () => { layout(); draw(); mark(); };

  // ---- one place read in all maps, here and in every other group of the same name

  const read = (cell, y, x) => {
    if (!cell.grid) return null;
    const index = nearest(cell.grid, y, x);
    if (index === null) return null;
    const raw = raws(cell.grid)[index];
    const value = cell.signed ? raw / cell.top : Math.max(0, raw) / cell.top;
    return { raw, value: Math.max(-1, Math.min(1, value)) };
  };

  const mark = () => {
    const { at } = state;
    const found = [];
    cells.forEach((cell, i) => {
      const node = state.figures[i];
      const probe = node.querySelector(".probe");
      const value = node.querySelector(".value");
      probe.hidden = !at || !cell.grid;
      value.textContent = "";
      value.title = "";
      if (!at || !cell.grid) return;
      Object.assign(probe.style, {
        left: `${((at.x - area[1]) / broad) * 100}%`, top: `${((at.y - area[0]) / tall) * 100}%`,
      });
      const here = read(cell, at.y, at.x);
      if (!here) { value.textContent = "not seen"; return; }
      let text = data.raw ? number(here.raw) : percent(here.value);
      if (differs(cell)) {
        const base = read(reference, at.y, at.x);
        const gap = base ? Math.round((here.value - base.value) * 100) : 0;
        text = base ? `${gap > 0 ? "+" : gap < 0 ? "\u2212" : "±"}${Math.abs(gap)}` : "–";
      }
      value.textContent = text;
      value.title = `raw ${number(here.raw)}`;
      found.push({ name: cell.name, value: here.value, text });
    });
    const readout = root.querySelector(".readout");
    if (!at) { readout.textContent = cells.some((cell) => cell.grid) ? data.hint : ""; return; }
    if (!found.length) { readout.textContent = "No network saw this place"; return; }
    found.sort((a, b) => a.value - b.value);
    const [low, high] = [found[0], found[found.length - 1]];
    readout.textContent = found.length === 1 || !data.summary
      ? found.map(({ name, value, text }) => `${name}: ${data.raw ? text : percent(value)}`).join(" · ")
      : `Here: from ${percent(low.value)} (${low.name}) to ${percent(high.value)} (${high.name})`;
  };

  const point = (at) => {
    state.at = at;
    mark();
  };
  const tell = (at) => window.dispatchEvent(new CustomEvent(`cam-point-${data.group}`, { detail: at }));

  state.hear ??= (event) => state.point(event.detail);
  state.point = (at) => requestAnimationFrame(() => point(at));
  if (state.group !== data.group) {
    if (state.group) window.removeEventListener(`cam-point-${state.group}`, state.hear);
    window.addEventListener(`cam-point-${data.group}`, state.hear);
    state.group = data.group;
  }

  body.onpointermove = body.onpointerdown = (event) => {
    const frame = event.target.closest?.(".frame");
    if (!frame) return;
    const box = frame.getBoundingClientRect();
    tell({
      x: area[1] + ((event.clientX - box.left) / box.width) * broad,
      y: area[0] + ((event.clientY - box.top) / box.height) * tall,
    });
  };
  body.onpointerleave = () => tell(null);

  root.onkeydown = (event) => {
    if (event.target.closest?.("button") || !["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Escape"].includes(event.key)) return;
    event.preventDefault();
    if (event.key === "Escape") { tell(null); return; }
    const first = cells.find((cell) => cell.grid)?.grid;
    if (!first) return;
    // One cell of the first map at a time, starting in the middle of what it saw.
    const [top, left, bottom, right] = first.seen;
    const at = state.at ?? { x: (left + right) / 2, y: (top + bottom) / 2 };
    const step = (axis) => (event.shiftKey ? 3 : 1) * Math.max(Math.abs(first.stride[axis]) / first.scale[axis], data.size[axis] / 100);
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    const within = (value, low, high) => Math.max(low, Math.min(high, value));
    tell(state.at ? {
      x: within(at.x + dx * step(1), area[1], area[3]), y: within(at.y + dy * step(0), area[0], area[2]),
    } : at);
  };

  refresh();
  state.refresh = refresh;
  if (!state.observer) {
    state.observer = new ResizeObserver(() => state.refresh());
    state.observer.observe(root);
  }

  return () => {
    state.observer?.disconnect();
    state.observer = null;
    if (state.group) window.removeEventListener(`cam-point-${state.group}`, state.hear);
    state.group = null;
  };
}
