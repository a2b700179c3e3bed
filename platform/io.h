// Whole transfers over the partial ones of File: the loops that hide short transfers and interruptions, and the one
// place where an errno becomes a Status.
//
// Thread safety: as the files and file systems passed in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "firn/file_system.h"
#include "firn/status.h"

namespace firn {

// What `error` (an errno value, not 0) means for a caller: ENOSPC and EDQUOT kNoSpace, ENOENT kNotFound, ENOMEM
// kOutOfMemory, everything else kIo. The message: "<operation> <path>: <reason>", with what to do where that is known.
Status errno_status(std::string_view operation, std::string_view path, int error);

// Fills `into` from `offset` on. Retries EIO once. Errors: kCorruption naming path and offset when the file ends
// early, kIo. What `into` holds after an error is unspecified.
Status read_exactly(File& file, std::uint64_t offset, std::span<std::byte> into);

// The whole file as it is now. Errors: kNotFound, kIo, kCorruption when it shrinks meanwhile, kOutOfMemory.
Result<std::string> read_file(FileSystem& files, const std::string& path, FileKind kind = FileKind::kOther);

// Writes all of `bytes` at `offset`. Errors: kNoSpace, kIo; a part may have been written.
Status write_all(File& file, std::uint64_t offset, std::span<const std::byte> bytes);

// Makes `contents` the file `directory`/`name`, and never something between old and new: writes "<name>.tmp", syncs it
// and renames it. Until the directory is synced, and after an error, either the old or the new contents are there. For
// CURRENT and its like (FileKind::kCurrent).
Status replace_file(FileSystem& files, const std::string& directory, const std::string& name,
                    std::string_view contents);

// The directory that holds the name of `path`: "." for a name alone, "/" for one in the root.
std::string parent_directory(std::string_view path);

// `directory`/`name`.
std::string join_path(std::string_view directory, std::string_view name);

}  // namespace firn
