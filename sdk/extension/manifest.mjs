/** The manifest of each browser. What differs between them is here, and nowhere else. */

/** Fixes the id of an unpacked copy in Chromium, so that a policy can name it. The key has no owner. */
const KEY = 
  "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEApvulINI3W1q+1BxQk2LpTALwTGeGLCGzwCXGnRMJ8psR" +
  "wQxwb5yJh5r6Yf9LjLMQz9PRZZZzfI12geb3clqKW151X8O+K+c8Qmsxt/siGjPvARwVM1kuOlH/GTg7AoldugUG" +
  "TRFqDFX1cM7v5tFVN/Vn1TOl1IOcVaCVuoYGO7GlqFSRJ29NgJMYg9NnrpAVH7LwDrgl1Idu53IG8pRvHUBlBwnr" +
  "YWX50yALEBhenJLht1gRAEoR+7jQq0XfFifqcD/rZdi6fwqKyZFKPRTyNKHJEKi+yI/0YFpZBZ0NsR6X3AEfPeV0" +
  "2tiTr3bG/RLmYOMYXcx5fNypLW2ktk6c9QIDAQAB";

const HERE = ["http://localhost", "http://127.0.0.1"];

/** No remote code, nothing inline, no frames; servers are reached only as the person asks. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  `connect-src https: ${HERE.map((origin) => `${origin}:*`).join(" ")}`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

export function manifest(browser) {
  const icons = { 16: "icons/16.png", 32: "icons/32.png", 128: "icons/128.png" };
  const chromium = browser === "chromium";
  return {
    manifest_version: 3,
    name: "__MSG_name__",
    description: "__MSG_description__",
    version: "0.1.0",
    default_locale: "en",
    icons,
    action: { default_popup: "panel.html", default_title: "Overt", default_icon: icons },
    background: chromium ? { service_worker: "worker.js" } : { scripts: ["worker.js"] },
    permissions: ["alarms", "scripting", "storage"],
    optional_host_permissions: ["https://*/*", ...HERE.map((origin) => `${origin}/*`)],
    incognito: "not_allowed",
    content_security_policy: { extension_pages: POLICY },
    ...(chromium
      ? { key: KEY, minimum_chrome_version: "123", storage: { managed_schema: "policy.json" } }
      : {
          browser_specific_settings: {
            gecko: {
              id: "extension@overt.invalid",
              strict_min_version: "142.0",
              data_collection_permissions: { required: ["websiteActivity"] },
            },
          },
        }),
  };
}
