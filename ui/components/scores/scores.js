export default function (component) {
  const { data, parentElement, setTriggerValue } = component;
  const root = parentElement.querySelector(".scores");
  const wanted = data.rows.length;
  if (!root.children.length || root.querySelectorAll("button").length !== wanted) {
    root.replaceChildren();
    for (let i = 0; i < (wanted || 5); i++) {  // before the scores are there, five empty bars in their place
      if (!wanted) {
        const empty = document.createElement("div");
        empty.className = "empty";
        root.append(empty);
        continue;
      }
      const button = document.createElement("button");
      button.type = "button";
      const label = document.createElement("span");
      label.className = "label";
      const share = document.createElement("span");
      share.className = "share";
      button.append(label, share);
      root.append(button);
    }
  }
  data.rows.forEach((row, i) => {
    const button = root.children[i];
    button.style.setProperty("--share", String(row.share));
    button.setAttribute("aria-pressed", String(row.selected));
    button.title = row.label;
    button.children[0].textContent = row.label;
    button.children[1].textContent = row.text;
    button.onclick = () => setTriggerValue("picked", row.id);
  });
}
