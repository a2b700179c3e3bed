// All of Firn's public API.
#pragma once

#include "firn/db.h"
#include "firn/memory_db.h"
#include "firn/platform.h"
