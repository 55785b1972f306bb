// The browser's time zone becomes that of a person who has none yet.
"use strict";
for (const field of document.querySelectorAll("input[name=time_zone]"))
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
