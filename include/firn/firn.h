// All of Firn's database API. Key and series codecs have headers of their own in firn/codec.
#pragma once

#include "firn/db.h"
#include "firn/memory_db.h"
#include "firn/platform.h"
