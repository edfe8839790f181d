#pragma once

#include "overlay/core/types.hpp"
#include "sys/at.hpp"

namespace sbx::overlay {

/// Gives a directory on disk its times back at the end of the scope: what appears or changes its form there,
/// but not in the sandbox's eyes, must not show in them.
class KeepTimes {
 public:
  explicit KeepTimes(int dir) : dir_(dir) {
    if (const auto st = sys::at::stat(dir)) {
      times_[0] = st->st_atim;
      times_[1] = st->st_mtim;
    }
  }
  ~KeepTimes() { (void)sys::at::set_times(dir_, times_); }  // at worst they are newer
  KeepTimes(const KeepTimes&) = delete;
  KeepTimes& operator=(const KeepTimes&) = delete;

 private:
  int dir_;
  struct timespec times_[2] = {{0, UTIME_OMIT}, {0, UTIME_OMIT}};
};

}  // namespace sbx::overlay
