/** The script in each document of a site that the person switched on. */

import { Frame, isOfOneOrigin } from "./frame.ts";
import { Top } from "./top.ts";

if (window === window.top) new Top().start();
else if (isOfOneOrigin()) new Frame().start();
