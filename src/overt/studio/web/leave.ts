/** Leaving from another device, with the recovery code alone. */

import { follow, post } from "./api.ts";
import { type Erasure, progressOf, showCertificate } from "./certificate.ts";
import { at, busy } from "./dom.ts";

const status = at("leave-status");

function tell(text: string, look: string): void {
  status.textContent = text;
  status.className = `hint ${look}`;
  status.hidden = false;
}

async function leave(code: string): Promise<void> {
  try {
    const { job } = await post<{ job: string }>("/v1/withdraw", { recovery_code: code });
    tell("Withdrawn. Your key is destroyed; cleaning data and models …", "wait");
    const done = await follow<Erasure>(`/v1/erasures/${job}`, (seen) =>
      tell(`Withdrawn. ${progressOf(seen)}`, "wait"),
    );
    if (done.state === "failed") throw new Error(done.error?.what ?? "The erasure stopped");
    if (done.certificate) showCertificate(at("certificate"), done.certificate);
    tell("You are out. The certificate says what was reached and what was not.", "good");
  } catch (error) {
    tell(error instanceof Error ? error.message : "It did not work.", "bad");
  }
}

at<HTMLFormElement>("leave").addEventListener("submit", (event) => {
  event.preventDefault();
  const code = at<HTMLInputElement>("code");
  void busy(at<HTMLButtonElement>("go"), () => leave(code.value.trim()));
});
