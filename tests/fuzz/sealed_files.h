// Firn's files made of any bytes, with the checksums put right, so that a fuzzer gets past them to what they protect.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "codec/entry.h"
#include "firn/slice.h"
#include "sstable/table_builder.h"
#include "wal/log_format.h"

namespace firn::fuzz {

inline constexpr wal::DatabaseId kDatabase{1, 2};
inline constexpr std::uint64_t kTableId = 7;

// A log segment: its header, then records, or no records, each with some fields from `input`. `end`: where it ends.
std::string sealed_segment(std::uint64_t id, const wal::PreviousSegment& previous, Slice input, wal::SegmentEnd& end);

// Manifest 1 of kDatabase with an edit for each piece of `input`: a byte that is its length, and its payload.
std::string sealed_manifest(Slice input);
// The other way: the input that gives these edits, each below 256 bytes.
std::string manifest_input(const std::vector<std::string>& edits);
// Edits that follow each other in the life of a database, with every field between them.
std::vector<std::string> sample_edits();

// Table kTableId. `input`: the lengths of data, filter, index and properties, 4 bytes each, then their bytes.
std::string sealed_table(Slice input);
// The other way. Precondition: `table` is one.
std::string table_input(Slice table);

// A table of `entries`, in internal order, by the builder.
std::string make_table(const std::vector<Entry>& entries, const TableOptions& options);
// Small tables of every form that the builder makes: codecs this build has, filters, key and sequence columns.
std::vector<std::string> sample_tables();

}  // namespace firn::fuzz
