declare module "*/pkg/hallpass_web.js" {
  export function states(): string;
}
