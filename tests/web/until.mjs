/** Waits until something holds: for what browsers do in their own time. */
export async function until(holds, what, seconds = 20) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end;) {
    const value = await holds();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`it never came to pass that ${what}`);
}
