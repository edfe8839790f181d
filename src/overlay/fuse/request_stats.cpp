#include "overlay/fuse/request_stats.hpp"

#include <fmt/format.h>
#include <linux/fuse.h>

#include <algorithm>
#include <vector>

namespace sbx::overlay {

namespace {

struct OpcodeName {
  std::uint32_t opcode;
  const char* name;
};

constexpr std::uint32_t kCopyFileRange64 = 53;  // since Linux 6.18; younger than our <linux/fuse.h>

constexpr OpcodeName kNames[] = {{FUSE_LOOKUP, "LOOKUP"},
                                 {FUSE_FORGET, "FORGET"},
                                 {FUSE_GETATTR, "GETATTR"},
                                 {FUSE_SETATTR, "SETATTR"},
                                 {FUSE_READLINK, "READLINK"},
                                 {FUSE_SYMLINK, "SYMLINK"},
                                 {FUSE_MKNOD, "MKNOD"},
                                 {FUSE_MKDIR, "MKDIR"},
                                 {FUSE_UNLINK, "UNLINK"},
                                 {FUSE_RMDIR, "RMDIR"},
                                 {FUSE_RENAME, "RENAME"},
                                 {FUSE_LINK, "LINK"},
                                 {FUSE_OPEN, "OPEN"},
                                 {FUSE_READ, "READ"},
                                 {FUSE_WRITE, "WRITE"},
                                 {FUSE_STATFS, "STATFS"},
                                 {FUSE_RELEASE, "RELEASE"},
                                 {FUSE_FSYNC, "FSYNC"},
                                 {FUSE_SETXATTR, "SETXATTR"},
                                 {FUSE_GETXATTR, "GETXATTR"},
                                 {FUSE_LISTXATTR, "LISTXATTR"},
                                 {FUSE_REMOVEXATTR, "REMOVEXATTR"},
                                 {FUSE_FLUSH, "FLUSH"},
                                 {FUSE_INIT, "INIT"},
                                 {FUSE_OPENDIR, "OPENDIR"},
                                 {FUSE_READDIR, "READDIR"},
                                 {FUSE_RELEASEDIR, "RELEASEDIR"},
                                 {FUSE_FSYNCDIR, "FSYNCDIR"},
                                 {FUSE_GETLK, "GETLK"},
                                 {FUSE_SETLK, "SETLK"},
                                 {FUSE_SETLKW, "SETLKW"},
                                 {FUSE_ACCESS, "ACCESS"},
                                 {FUSE_CREATE, "CREATE"},
                                 {FUSE_INTERRUPT, "INTERRUPT"},
                                 {FUSE_DESTROY, "DESTROY"},
                                 {FUSE_IOCTL, "IOCTL"},
                                 {FUSE_POLL, "POLL"},
                                 {FUSE_BATCH_FORGET, "BATCH_FORGET"},
                                 {FUSE_FALLOCATE, "FALLOCATE"},
                                 {FUSE_READDIRPLUS, "READDIRPLUS"},
                                 {FUSE_RENAME2, "RENAME2"},
                                 {FUSE_LSEEK, "LSEEK"},
                                 {FUSE_COPY_FILE_RANGE, "COPY_FILE_RANGE"},
                                 {kCopyFileRange64, "COPY_FILE_RANGE_64"},
                                 {FUSE_SYNCFS, "SYNCFS"},
                                 {FUSE_TMPFILE, "TMPFILE"}};

std::string row(const std::string& name, const RequestStat& stat) {
  const double us = static_cast<double>(stat.ns) / 1e3;
  return fmt::format("{:<16}{:>10}{:>11.2f}{:>9.2f}\n", name, stat.count, us / 1e3,
                     stat.count == 0 ? 0.0 : us / static_cast<double>(stat.count));
}

}  // namespace

void add(RequestStats& sum, const RequestStats& part) noexcept {
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i].count += part[i].count;
    sum[i].ns += part[i].ns;
  }
}

std::string request_name(std::uint32_t opcode) {
  const auto* known = std::find_if(std::begin(kNames), std::end(kNames),
                                   [&](const OpcodeName& one) { return one.opcode == opcode; });
  return known == std::end(kNames) ? fmt::format("{}", opcode) : known->name;
}

std::string table(const RequestStats& stats) {
  std::vector<std::uint32_t> order;
  RequestStat sum;
  for (std::uint32_t i = 0; i < stats.size(); ++i) {
    if (stats[i].count != 0) {
      order.push_back(i);
      sum.count += stats[i].count;
      sum.ns += stats[i].ns;
    }
  }
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return stats[a].count > stats[b].count;
  });
  std::string out =
      fmt::format("{:<16}{:>10}{:>11}{:>9}\n", "request", "count", "work ms", "us each");
  for (const std::uint32_t opcode : order) {
    out += row(request_name(opcode), stats[opcode]);
  }
  return out + row("all", sum);
}

}  // namespace sbx::overlay
