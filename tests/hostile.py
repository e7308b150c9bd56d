"""What a script that comes after the SDK does to it, to keep the sign from sight."""

AGAIN = """document.body.insertAdjacentHTML("beforeend", `<div id="cover" popover="manual"
    style="inset:0;width:100vw;height:100vh;background:#fff;pointer-events:none"></div>`);
  cover.showPopover();
  const again = () => {
    cover.hidePopover();
    cover.showPopover();
    window.meanwhile?.();
    requestAnimationFrame(again);
  };
  again();"""
"""What is raised after the sign, again and again, and lets presses through."""
GETS = "const gets = (of, name, get) => Object.defineProperty(of, name, { get });"
BEHIND_ITS_BACK = {
    "no timer": """window.meanwhile = () => {
        const last = setTimeout(() => {});
        for (let number = last - 500; number <= last; number += 1) clearTimeout(number);
      };""",
    "a page that is not shown": f"{GETS} gets(document, 'hidden', () => true);",
    "a clock that stands, and pictures": f"""{GETS} performance.now = () => 0;
      gets(document, "activeViewTransition", () => ({{}}));""",
    "lies of what lies where": f"""{GETS}
      const sign = document.querySelector("overt-indicator");
      Document.prototype.elementFromPoint = () => sign;
      gets(IntersectionObserverEntry.prototype, "isVisible", () => true);""",
    "what throws": """Element.prototype.getBoundingClientRect = String.prototype.match =
      Document.prototype.querySelectorAll = () => { throw new Error("hostile"); };""",
}
