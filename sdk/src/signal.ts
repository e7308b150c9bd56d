/**
 * Whether the browser asks on the person's behalf not to be tracked or shared: Global Privacy
 * Control, or Do Not Track. It changes nothing of what the SDK does, because there is nothing to
 * give up: nobody is enrolled without their own choice, and nothing is shared with other parties.
 * A site does not put its question before somebody who has answered it already: offer it quietly.
 */
export function asksForPrivacy(): boolean {
  const { globalPrivacyControl } = navigator as { globalPrivacyControl?: boolean };
  return globalPrivacyControl === true || navigator.doNotTrack === "1";
}
