// Lets Azurite's clock be moved by a test: TIME_AHEAD names a file with the seconds it is ahead, a double.
// Without it nothing happens. tests/ahead does the same for emulators that are written in Python.
"use strict";

const fs = require("fs");

if (process.env.TIME_AHEAD) {
  const file = fs.openSync(process.env.TIME_AHEAD, "r");
  const seconds = Buffer.alloc(8);
  const Real = Date;

  const ahead = () => {
    fs.readSync(file, seconds, 0, 8, 0);
    return Real.now() + Math.round(seconds.readDoubleLE() * 1000);
  };

  globalThis.Date = class extends Real {
    constructor(...told) {
      super(...(told.length === 0 ? [ahead()] : told));
    }

    static now() {
      return ahead();
    }
  };
}
