// What the login and the dashboard call the same thing.

export const KEY = "ctui-key";
