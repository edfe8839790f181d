#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "oci/digest.hpp"
#include "store/store.hpp"

namespace sbx::store {

// Images that stay where they are, in a file of a squashfs (SIF, .sqsh), have a tree here: tree/<key>.tree, and a note
// squashed/<key> that says whose it is. The key takes the place of a chain id.

inline constexpr const char* kSquashedDir = "squashed";

/// How much of a file's beginning is part of its key: the superblock of a squashfs, the head of a SIF.
inline constexpr std::size_t kSquashHead = 4096;

/// Tells one state of one file from another: inode, size, time of the last change, and a checksum of its first kSquashHead bytes.
/// No digest: it protects from accidents. Who can write to the file can change its bytes at any time.
oci::ChainId squash_key(const struct stat& st, std::span<const std::byte> head);
/// squash_key() of an open regular file. kInvalidArgument for another kind of file.
Result<oci::ChainId> squash_key_of(int fd, std::string_view name);

/// Notes, durably, that tree/<key>.tree is that of the file at `path` (absolute), with what else the run path wants to know: an
/// object.
Result<void> note_squashed(const Store& store, const oci::ChainId& key, const std::string& path,
                           Json note);

/// nullopt if there is no such note, or one that cannot be read.
std::optional<Json> find_squashed(const Store& store, const oci::ChainId& key);

struct SquashedFile {
  oci::ChainId key;
  std::string path;  // absolute
};
/// Those that are there and as they were.
Result<std::vector<SquashedFile>> squashed_files(const Store& store);

/// Removes note and tree, as far as they are there: the next run of the file makes them anew.
Result<void> forget_squashed(const Store& store, const oci::ChainId& key);

}  // namespace sbx::store
