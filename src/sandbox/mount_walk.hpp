#pragma once

// Finding and making mount targets below the new root, for the stage: no allocation, kernel convention.

#include <cstdint>

namespace sbx::sandbox {

enum class TargetKind { kDirectory, kFile };

/// O_PATH descriptor of `path` below `root`. Links are resolved as if `root` were "/" if `follow_links`, and refused
/// (ELOOP) otherwise. What is missing is made: parents as directories 0755, the last name as `kind`.
/// Must hold: no process of the image runs yet, so nothing can change under our feet.
long open_target(int root, const char* path, TargetKind kind, bool follow_links) noexcept;

/// As open_target without making anything: -ENOENT if absent.
long find_target(int root, const char* path, bool follow_links) noexcept;

/// A descriptor for reading, links resolved as if `root` were "/"; never waits for the other side of a fifo.
long open_for_reading(int root, const char* path) noexcept;

}  // namespace sbx::sandbox
