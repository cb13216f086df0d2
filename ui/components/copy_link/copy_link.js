export default function (component) {
  const button = component.parentElement.querySelector("button");
  const say = (text) => {
    button.textContent = text;
    clearTimeout(button.camTimer);
    button.camTimer = setTimeout(() => { button.textContent = "Copy link"; }, 2500);
  };
  // The clipboard API exists on https and localhost only; elsewhere the old command still works.
  const fallback = (text) => {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };
  button.onclick = async () => {
    const link = window.location.href;
    try {
      await navigator.clipboard.writeText(link);
      say("Copied");
    } catch {
      say(fallback(link) ? "Copied" : "Copy the address bar, please");
    }
  };
}
