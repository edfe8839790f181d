#pragma once

// The handlers libfuse calls, by group: ops_*.cpp. Each takes its arguments apart, calls Overlay, and replies.
// Internal to overlay/fuse.

#include <cstdint>
#include <string_view>

#include "overlay/core/overlay.hpp"

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

namespace sbx::overlay {

/// st_blksize: what programs read and write at once at least.
inline constexpr std::uint32_t kBlockSize = 4096;
/// The server is the only one who changes the upper directory, so the kernel need not ask twice.
inline constexpr double kForeverSeconds = 1e9;
/// For a lower tree that others change.
inline constexpr double kBrieflySeconds = 1.0;

struct fuse_lowlevel_ops make_ops() noexcept;

// Each fills in its part.
void add_init_ops(struct fuse_lowlevel_ops& ops) noexcept;
void add_lookup_ops(struct fuse_lowlevel_ops& ops) noexcept;
void add_attr_ops(struct fuse_lowlevel_ops& ops) noexcept;
void add_name_ops(struct fuse_lowlevel_ops& ops) noexcept;
void add_data_ops(struct fuse_lowlevel_ops& ops) noexcept;
void add_dir_ops(struct fuse_lowlevel_ops& ops) noexcept;
void add_xattr_ops(struct fuse_lowlevel_ops& ops) noexcept;

// reply.cpp
Overlay& overlay_of(fuse_req_t request) noexcept;
Caller caller_of(fuse_req_t request) noexcept;
struct stat to_stat(const Attr& attr) noexcept;
struct fuse_entry_param to_entry(const Entry& entry) noexcept;
double seconds(Trust trust) noexcept;
void reply(fuse_req_t request, const FsResult<void>& result) noexcept;
void reply(fuse_req_t request, const FsResult<Entry>& result) noexcept;
void reply_attr(fuse_req_t request, const FsResult<Attr>& result, Trust trust) noexcept;

}  // namespace sbx::overlay
