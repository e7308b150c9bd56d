/** Step 1: the person's own choice, and the receipt of it. */

import type { Overt, Receipt } from "../../../../sdk/src/index.ts";
import { at, busy, byTest, download, say } from "./dom.ts";

/** Names of purposes as the notice on this page words them. */
export function purposeTitle(id: string): string {
  const box = document.querySelector(`[name="purpose"][value="${CSS.escape(id)}"]`);
  return box?.nextSibling?.textContent?.trim() ?? id;
}

/** Show the receipt that the person keeps. */
export function showReceipt(receipt: Receipt, purposes: string[]): void {
  at("joined").hidden = false;
  at("declined").hidden = true;
  at("joined-purposes").textContent = purposes.map(purposeTitle).join("; ") || "nothing any more";
  at("recovery-code").textContent = String(receipt["recovery_code"] ?? "");
  at("receipt-text").textContent = JSON.stringify(receipt, null, 2);
}

/** Not joining needs nothing of ours: it works before anything else of this page does. */
export function startDeclining(): void {
  at("decline").addEventListener("click", () => {
    document.body.dataset.phase = "declined";
    at("declined").hidden = false;
    at("choice-hint").hidden = true;
    at("do").scrollIntoView();
    byTest("task-copy").focus({ preventScroll: true });
  });
}

export function startChoice(overt: Overt, changed: () => void): void {
  const form = at<HTMLFormElement>("choice");
  const join = at<HTMLButtonElement>("join");
  join.disabled = false;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!event.isTrusted) return;
    const chosen = [...form.querySelectorAll<HTMLInputElement>("[name=purpose]:checked")];
    const details = [...form.querySelectorAll<HTMLInputElement>("[name=detail]")];
    const detail = details.find((radio) => radio.checked);
    const missing = chosen.length === 0 ? "purpose" : details[0] && !detail ? "detail" : "";
    at("choice-hint").hidden = !missing;
    if (missing) {
      form.querySelector<HTMLInputElement>(`[name=${missing}]`)?.focus();
      return;
    }
    void busy(join, async () => {
      const purposes = chosen.map((box) => box.value);
      const receipt = await overt.join(purposes, detail?.value);
      showReceipt(receipt, overt.state().purposes);
      changed();
      at("joined").focus({ preventScroll: true });
      at("joined").scrollIntoView({ block: "center" });
      say("You have joined. Recording is on; the sign at the top says so.");
    });
  });
  at("receipt-download").addEventListener("click", () =>
    download("receipt.json", at("receipt-text").textContent ?? ""),
  );
}
