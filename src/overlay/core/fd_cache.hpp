#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "sys/fd.hpp"

namespace sbx::overlay {

/// An open file that several requests may be using. Shared: whoever drops it from the cache must not
/// close it under a read that is going on.
using FdRef = std::shared_ptr<const sys::Fd>;

/// The most recently used descriptors, by a key of the owner's choice. There is no open file per inode:
/// hard limits of 1024 descriptors are common, trees have a million files.
class FdCache {
 public:
  explicit FdCache(std::size_t capacity) : capacity_(capacity) {}

  /// Null if it is not there.
  [[nodiscard]] FdRef find(std::uint64_t key);
  /// Keeps `fd` for later and returns it for now; the least recently used one may go.
  FdRef put(std::uint64_t key, sys::Fd fd);
  /// Forgets the key and returns what was there, maybe null.
  FdRef take(std::uint64_t key);
  [[nodiscard]] std::size_t size();

 private:
  struct Slot {
    std::uint64_t key;
    FdRef fd;
  };
  // Guards the fields below. A leaf: nothing else is locked, and nothing closed, while it is held.
  std::mutex mutex_;
  std::list<Slot> recent_;  // front: most recently used
  std::unordered_map<std::uint64_t, std::list<Slot>::iterator> slots_;
  std::size_t capacity_;
};

}  // namespace sbx::overlay
