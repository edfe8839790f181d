#pragma once

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "overlay/core/types.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

/// How much the upper directory may take. 0: as much as there is.
struct QuotaLimits {
  std::uint64_t bytes = 0;  // on disk: st_blocks, not sizes
  std::uint64_t files = 0;  // inodes
};

/// Counts what the upper directory takes, and refuses with ENOSPC what would be more than the limit, as XFS does for a project
/// (xfs_quota(8)). What is on disk is measured before and after each change, so holes cost nothing; what is refused is refused as a whole.
class Quota {
 public:
  explicit Quota(QuotaLimits limits) : limits_(limits) {}

  /// Adds all that lies in a directory already, each file once.
  Result<void> count(int dir);

  /// The right to make one file, given back at the end of its life if none was made.
  class Admission {
   public:
    explicit Admission(Quota* quota) : quota_(quota) {}
    Admission(Admission&& other) noexcept : quota_(std::exchange(other.quota_, nullptr)) {}
    Admission& operator=(Admission&&) = delete;
    ~Admission();
    /// It was made, and takes this much.
    void use(const struct stat& host) noexcept;

   private:
    Quota* quota_;
  };
  /// ENOSPC if there is room for no more. Without a quota all are admitted.
  static FsResult<Admission> admit_file(Quota* quota) noexcept;
  /// A file is gone that was last seen like this.
  void remove_file(const struct stat& host) noexcept;
  /// A file was made anew, as another one.
  void replace_file(const struct stat& old, const struct stat& made) noexcept;

  /// Runs `change`, an FsResult<void>() or FsResult<size> that makes `fd`, which is `before` now, take at most `growth` bytes more on disk.
  template <class Change>
  auto metered(int fd, const struct stat& before, std::uint64_t growth, Change change) noexcept
      -> decltype(change());

  /// What df(1) is told of a file system that has `all`.
  void show(struct statvfs& all) const noexcept;

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
  [[nodiscard]] std::uint64_t files() const { return files_; }

 private:
  FsResult<void> reserve(std::uint64_t bytes) noexcept;
  /// The file takes this much now; `growth` of it was reserved.
  void settle(const struct stat& before, const struct stat& after, std::uint64_t growth) noexcept;
  void add(const struct stat& host) noexcept;
  void subtract(const struct stat& host) noexcept;

  QuotaLimits limits_;
  std::atomic<std::uint64_t> bytes_ = 0;
  std::atomic<std::uint64_t> files_ = 0;
  std::mutex mutex_;  // guards counted_
  /// What was counted for a file, by inode number, of those that were made or written by us: exactly that is given back in the end. A
  /// file system may need more for it later, at write-back, and who makes and removes files for ever must gain nothing from that.
  std::unordered_map<std::uint64_t, std::uint64_t> counted_;
  std::array<std::mutex, 16>
      measuring_;  // before mutex_. One change of a file at a time; by inode number. Nothing is locked while it is held
};

/// Bytes on disk (st_blocks, inode(7): units of 512); a directory's are the same for all.
std::uint64_t bytes_on_disk(const struct stat& host) noexcept;

/// How many bytes more a file takes at most when these are written.
std::uint64_t growth_of(const struct stat& host, std::uint64_t offset,
                        std::uint64_t length) noexcept;

template <class Change>
auto Quota::metered(int fd, const struct stat& before, std::uint64_t growth, Change change) noexcept
    -> decltype(change()) {
  const std::lock_guard lock(measuring_[before.st_ino % measuring_.size()]);
  SBX_TRY(reserve(growth));
  auto result = change();
  // Of a file that somebody else has changed since `before`, what he counted is known.
  const auto after = sys::at::stat(fd);
  settle(before, after ? *after : before, growth);
  return result;
}

}  // namespace sbx::overlay
