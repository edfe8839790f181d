#include "overlay/core/quota.hpp"

#include <fcntl.h>

#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

#include "sys/file.hpp"

namespace sbx::overlay {

namespace {

constexpr std::uint64_t kBlock = 4096;
// Writing may cost a file system some blocks for where the data is.
constexpr std::uint64_t kMapBytes = 2 * kBlock;

std::uint64_t round_up(std::uint64_t bytes) noexcept {
  return (bytes + kBlock - 1) / kBlock * kBlock;
}

}  // namespace

std::uint64_t bytes_on_disk(const struct stat& host) noexcept {
  return S_ISDIR(host.st_mode) ? kBlock : static_cast<std::uint64_t>(host.st_blocks) * 512;
}

std::uint64_t growth_of(const struct stat& host, std::uint64_t offset,
                        std::uint64_t length) noexcept {
  const auto size = static_cast<std::uint64_t>(host.st_size);
  if (bytes_on_disk(host) < size) {
    return round_up(length) + kMapBytes;  // it has holes: all of it may fall into one
  }
  const std::uint64_t end = offset + length;
  return end <= bytes_on_disk(host) && offset <= size
             ? 0
             : round_up(end - std::min(end, std::max(offset, size / kBlock * kBlock))) + kMapBytes;
}

Result<void> Quota::count(int dir) {
  std::unordered_set<std::uint64_t> linked;
  std::vector<sys::Fd> dirs;
  dirs.push_back(SBX_TRY(sys::open_at(dir, ".", O_RDONLY | O_DIRECTORY)));
  while (!dirs.empty()) {
    const sys::Fd at = std::move(dirs.back());
    dirs.pop_back();
    for (const std::string& name : SBX_TRY(sys::list_dir(at.get(), "."))) {
      const auto host = sys::at::stat(at.get(), name.c_str());
      if (!host ||
          (host->st_nlink > 1 && !S_ISDIR(host->st_mode) && !linked.insert(host->st_ino).second)) {
        continue;
      }
      bytes_ += bytes_on_disk(*host);
      ++files_;
      if (S_ISDIR(host->st_mode)) {
        dirs.push_back(SBX_TRY(sys::open_at(at.get(), name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)));
      }
    }
  }
  return {};
}

FsResult<Quota::Admission> Quota::admit_file(Quota* quota) noexcept {
  if (quota != nullptr) {
    const std::uint64_t before = quota->files_.fetch_add(1);
    const QuotaLimits& limits = quota->limits_;
    if ((limits.files != 0 && before >= limits.files) ||
        (limits.bytes != 0 && quota->bytes_ >= limits.bytes)) {
      --quota->files_;
      return no(ENOSPC);
    }
  }
  return Admission(quota);
}

Quota::Admission::~Admission() {
  if (quota_ != nullptr) {
    --quota_->files_;
  }
}

void Quota::Admission::use(const struct stat& host) noexcept {
  if (Quota* quota = std::exchange(quota_, nullptr)) {
    quota->add(host);
  }
}

void Quota::add(const struct stat& host) noexcept {
  const std::uint64_t bytes = bytes_on_disk(host);
  bytes_ += bytes;
  const std::lock_guard lock(mutex_);
  counted_[host.st_ino] = bytes;
}

void Quota::subtract(const struct stat& host) noexcept {
  const std::lock_guard lock(mutex_);
  const auto known = counted_.extract(host.st_ino);
  // What lay here before our time was counted as it was then.
  bytes_ -= std::min(bytes_.load(), known ? known.mapped() : bytes_on_disk(host));
}

void Quota::remove_file(const struct stat& host) noexcept {
  subtract(host);
  --files_;
}

void Quota::replace_file(const struct stat& old, const struct stat& made) noexcept {
  subtract(old);
  add(made);
}

void Quota::settle(const struct stat& before, const struct stat& after,
                   std::uint64_t growth) noexcept {
  const std::lock_guard lock(mutex_);
  std::uint64_t& counted = counted_.try_emplace(after.st_ino, bytes_on_disk(before)).first->second;
  bytes_ += bytes_on_disk(after) - counted - growth;  // modulo 2^64: it may have shrunk
  counted = bytes_on_disk(after);
}

FsResult<void> Quota::reserve(std::uint64_t bytes) noexcept {
  std::uint64_t before = bytes_;
  do {
    if (bytes != 0 && limits_.bytes != 0 && before + bytes > limits_.bytes) {
      return no(ENOSPC);
    }
  } while (!bytes_.compare_exchange_weak(before, before + bytes));
  return {};
}

void Quota::show(struct statvfs& all) const noexcept {
  if (limits_.bytes != 0 && all.f_frsize != 0) {
    const std::uint64_t used = std::min(bytes_.load(), limits_.bytes);
    all.f_blocks = std::min<std::uint64_t>(all.f_blocks, limits_.bytes / all.f_frsize);
    const std::uint64_t left = (limits_.bytes - used) / all.f_frsize;
    all.f_bfree =
        std::min<std::uint64_t>(all.f_bavail, left);  // what others keep free is not for us
    all.f_bavail = all.f_bfree;
  }
  if (limits_.files != 0) {
    const std::uint64_t used = std::min(files_.load(), limits_.files);
    all.f_files = std::min<std::uint64_t>(all.f_files, limits_.files);
    all.f_ffree = std::min<std::uint64_t>(all.f_ffree, limits_.files - used);
    all.f_favail = all.f_ffree;
  }
}

}  // namespace sbx::overlay
