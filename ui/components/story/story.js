// Shows a report step by step on the whole screen: arrow keys, space, Home and End move, Escape leaves.
const MARKS = { for: "+", against: "−", beware: "!", note: "·" };

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

// As many columns as make the pictures largest in the room there is; the fewest of these.
function fit(box, figures, ratio, caption) {
  const style = getComputedStyle(box);
  const gap = parseFloat(style.columnGap) || 0;
  const room = box.parentElement.getBoundingClientRect();
  const narrow = getComputedStyle(box.parentElement).flexDirection === "column"; // a phone: words stand beneath
  const beside = box.classList.contains("beside");
  const width = beside && !narrow ? room.width * 0.58 : room.width;
  const height = beside && narrow ? room.height * 0.5 : room.height;
  let best = 20;
  let count = 1;
  for (let columns = 1; columns <= figures.length; columns++) {
    const rows = Math.ceil(figures.length / columns);
    const wide = (width - gap * (columns - 1)) / columns;
    const tall = (height - gap * (rows - 1)) / rows - caption;
    const fits = Math.floor(Math.min(wide, tall * ratio));
    if (fits > best) [best, count] = [fits, columns];
  }
  box.style.gridTemplateColumns = `repeat(${count}, ${best}px)`;
}

// The largest type in which all words can be seen.
function fitWords(side) {
  for (let share = 1; share >= 0.5; share -= 0.05) {
    side.style.setProperty("--fit", share.toFixed(2));
    if (side.scrollHeight <= side.clientHeight + 1) return;
  }
}

export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".story");
  root.letGo?.(); // what an earlier run listens to
  const find = (selector) => root.querySelector(selector);
  const place = `cam-story-${data.token}`;
  const last = data.steps.length - 1;
  let at = Math.min(Math.max(parseInt(sessionStorage.getItem(place) ?? "0", 10) || 0, 0), last);

  function layout() {
    const figures = [...find(".pictures").children];
    const captions = figures.map((figure) => figure.querySelector("figcaption")?.getBoundingClientRect().height ?? 0);
    if (figures.length) fit(find(".pictures"), figures, data.steps[at].ratio, Math.max(...captions) * 1.25);
    fitWords(find(".side"));
  }

  function draw() {
    const step = data.steps[at];
    const pictures = step.pictures ?? [];
    root.setAttribute("aria-label", `${step.kicker}: ${step.title}`);
    root.dataset.level = step.level ?? "";
    find(".kicker").textContent = step.kicker;
    find("h1").textContent = step.title;
    find(".note").textContent = step.note ?? "";
    const side = find(".side");
    side.replaceChildren();
    if (step.numbers?.length) {
      const row = element("div", "numbers");
      for (const [value, name, note] of step.numbers) {
        const one = element("div");
        one.append(element("b", "", value), element("span", "", name), element("small", "", note));
        row.append(one);
      }
      side.append(row);
    }
    for (const [label, share, text] of step.bars ?? []) {
      const row = element("div", "score");
      const bar = element("i");
      bar.style.setProperty("--share", `${100 * (share || 0)}%`);
      row.append(element("b", "", label), element("span", "", text), bar);
      side.append(row);
    }
    for (const [kind, text] of step.reasons ?? []) {
      const row = element("div", "reason");
      row.dataset.kind = kind;
      row.append(element("b", "", MARKS[kind] ?? "·"), element("span", "", text));
      side.append(row);
    }
    root.classList.toggle("cover", !pictures.length && !side.children.length);
    root.classList.toggle("words", !pictures.length && side.children.length > 0);
    const box = find(".pictures");
    box.classList.toggle("beside", side.children.length > 0);
    box.classList.toggle("many", pictures.length > 4);
    box.replaceChildren(
      ...pictures.map((picture) => {
        const figure = element("figure");
        const image = element("img");
        image.src = data.images[picture.src];
        image.alt = picture.alt;
        image.style.aspectRatio = String(step.ratio);
        figure.append(image);
        if (picture.caption) figure.append(element("figcaption", "", picture.caption));
        return figure;
      }),
    );
    const legend = find(".legend");
    legend.classList.toggle("on", Boolean(step.legend));
    if (step.legend) {
      const [low, high] = legend.querySelectorAll("span");
      [low.textContent, high.textContent] = step.legend;
      legend.querySelector("i").style.background = step.legend[2];
    }
    find(".count").textContent = `${at + 1} / ${last + 1}`;
    find(".back").disabled = at === 0;
    find(".on").disabled = at === last;
    sessionStorage.setItem(place, String(at));
    layout();
  }

  function go(to) {
    at = Math.min(Math.max(to, 0), last);
    draw();
  }

  function key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const moves = {
      ArrowRight: at + 1, ArrowDown: at + 1, PageDown: at + 1, " ": at + 1,
      ArrowLeft: at - 1, ArrowUp: at - 1, PageUp: at - 1, Home: 0, End: last,
    };
    if (event.key === "Escape") {
      sessionStorage.removeItem(place);
      setTriggerValue("left", true);
    } else if (event.key in moves && !(event.key === " " && event.target.tagName === "BUTTON")) {
      go(moves[event.key]);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  find(".back").onclick = () => go(at - 1);
  find(".on").onclick = () => go(at + 1);
  document.addEventListener("keydown", key, true);
  window.addEventListener("resize", layout);
  document.fonts?.ready.then(layout);
  root.focus({ preventScroll: true });
  draw();
  root.letGo = () => {
    document.removeEventListener("keydown", key, true);
    window.removeEventListener("resize", layout);
  };
  return root.letGo;
}
