// What a page can do beyond links and forms. Every page works without it.
"use strict";
