/** Talking to the server: JSON both ways, errors in the words the server gives them. */

interface Said {
  error?: { what?: string; do?: string };
}

/** What a refusal says to people. */
export function complaint(data: unknown, status: number): string {
  const error = (data as Said | null)?.error;
  return [error?.what ?? `the server answered ${status}`, error?.do].filter(Boolean).join(". ");
}

type Body = Record<string, unknown>;

/** Return the JSON of an answer, or throw with the words of its error. */
export async function answer<T>(response: Response): Promise<T> {
  const data: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new Error(complaint(data, response.status));
  return data as T;
}

/** GET a path as JSON, with the access token where one is given. */
export async function get<T>(path: string, token?: string): Promise<T> {
  return answer<T>(
    await fetch(path, {
      cache: "no-store",
      credentials: "omit",
      headers: token ? { Authorization: `Bearer ${token}` } : {},
    }),
  );
}

/** POST a JSON body and return the JSON answer. */
export async function post<T>(path: string, body: Body, token?: string): Promise<T> {
  return answer<T>(
    await fetch(path, {
      method: "POST",
      cache: "no-store",
      credentials: "omit",
      headers: {
        "Content-Type": "application/json",
        ...(token ? { Authorization: `Bearer ${token}` } : {}),
      },
      body: JSON.stringify(body),
    }),
  );
}

/** Ask for a job until it has ended; `seen` gets every answer. */
export async function follow<T extends { state: string }>(
  path: string,
  seen: (job: T) => void,
  token?: () => Promise<string>,
): Promise<T> {
  for (;;) {
    const job = await get<T>(path, await token?.());
    seen(job);
    if (job.state === "done" || job.state === "failed") return job;
    await new Promise((resolve) => window.setTimeout(resolve, 400));
  }
}
