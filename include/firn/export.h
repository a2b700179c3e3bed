// Marks what the shared library exports; everything else is hidden (-fvisibility=hidden).
#pragma once

#define FIRN_EXPORT [[gnu::visibility("default")]]
