#include "layer/archive_writer.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <optional>
#include <utility>

#include "sys/file.hpp"

namespace sbx::layer {
namespace {

constexpr mode_t kMemberMode = 0644;
constexpr mode_t kDirectoryMode = 0755;

using ArchiveHandle = std::unique_ptr<archive, decltype(&::archive_write_free)>;
using EntryHandle = std::unique_ptr<archive_entry, decltype(&::archive_entry_free)>;

}  // namespace

struct ArchiveWriter::State {
  State(int file, std::string what) : fd(file), name(std::move(what)) {}

  /// libarchive's callback. What write(2) said is kept here: libarchive has only a number for it.
  static la_ssize_t on_write(archive* /*handle*/, void* self, const void* data,
                             std::size_t size) noexcept {
    auto* const state = static_cast<State*>(self);
    const std::span bytes(static_cast<const std::byte*>(data), size);
    if (Result<void> written = sys::write_full(state->fd, bytes, state->name); !written) {
      state->failure = std::move(written).error();
      return -1;
    }
    return static_cast<la_ssize_t>(size);
  }

  [[nodiscard]] Unexpected<Error> failed() {
    if (failure) {
      return fail(*std::exchange(failure, std::nullopt));
    }
    const char* reason = ::archive_error_string(handle.get());
    return fail(Error::make(ErrorCode::kSystem, "write archive", name,
                            reason == nullptr ? "libarchive does not say why" : reason));
  }

  int fd;
  std::string name;
  std::optional<Error> failure;
  std::uint64_t missing = 0;  // bytes that the member still needs
  ArchiveHandle handle{::archive_write_new(), &::archive_write_free};
};

ArchiveWriter::ArchiveWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}
ArchiveWriter::ArchiveWriter(ArchiveWriter&&) noexcept = default;

ArchiveWriter::~ArchiveWriter() {
  if (state_ != nullptr && state_->handle != nullptr) {
    // Else freeing it would write the end of an archive that is not whole.
    (void)::archive_write_fail(state_->handle.get());
  }
}

Result<ArchiveWriter> ArchiveWriter::open(int fd, std::string name) {
  auto state = std::make_unique<State>(fd, std::move(name));
  archive* const handle = state->handle.get();
  SBX_ASSERT(handle != nullptr);
  // Buffer of 0 bytes: what write() is given goes to write(2) as it is.
  // Extended attributes as star, GNU tar and docker write them, and not in libarchive's own way besides.
  if (::archive_write_set_format_pax_restricted(handle) != ARCHIVE_OK ||
      ::archive_write_set_format_option(handle, nullptr, "xattrheader", "SCHILY") != ARCHIVE_OK ||
      ::archive_write_set_bytes_per_block(handle, 0) != ARCHIVE_OK ||
      ::archive_write_open(handle, state.get(), nullptr, &State::on_write, nullptr) != ARCHIVE_OK) {
    return state->failed();
  }
  return ArchiveWriter(std::move(state));
}

Result<void> ArchiveWriter::end_member() {
  if (state_->missing != 0) {
    return fail(Error::make(ErrorCode::kCorrupt, "write archive", state_->name,
                            fmt::format("a member lacks {} bytes", state_->missing)));
  }
  return {};
}

Result<void> ArchiveWriter::begin(const ArchiveMember& member) {
  SBX_TRY(end_member());
  const EntryHandle handle{::archive_entry_new(), &::archive_entry_free};
  SBX_ASSERT(handle != nullptr);
  archive_entry* const entry = handle.get();
  ::archive_entry_set_pathname(entry, member.path.c_str());
  ::archive_entry_set_mode(entry, member.mode);
  ::archive_entry_set_uid(entry, member.uid);
  ::archive_entry_set_gid(entry, member.gid);
  ::archive_entry_set_mtime(entry, member.mtime.tv_sec, member.mtime.tv_nsec);
  ::archive_entry_set_size(entry, static_cast<la_int64_t>(member.size));
  if (S_ISCHR(member.mode) || S_ISBLK(member.mode)) {
    ::archive_entry_set_rdev(entry, member.rdev);
  }
  if (S_ISLNK(member.mode)) {
    ::archive_entry_set_symlink(entry, member.symlink.c_str());
  }
  if (!member.hard_link.empty()) {
    ::archive_entry_set_hardlink(entry, member.hard_link.c_str());
  }
  for (const auto& [name, value] : member.xattrs) {
    ::archive_entry_xattr_add_entry(entry, name.c_str(), value.data(), value.size());
  }
  // ARCHIVE_WARN: a name that is no UTF-8, which is written as it is.
  if (const int code = ::archive_write_header(state_->handle.get(), entry);
      code != ARCHIVE_OK && code != ARCHIVE_WARN) {
    return state_->failed();
  }
  state_->missing = member.size;
  return {};
}

Result<void> ArchiveWriter::add_directory(const std::string& path) {
  return begin(ArchiveMember{.path = path, .mode = S_IFDIR | kDirectoryMode});
}

Result<void> ArchiveWriter::begin(const std::string& path, std::uint64_t size) {
  return begin(ArchiveMember{.path = path, .mode = S_IFREG | kMemberMode, .size = size});
}

Result<void> ArchiveWriter::write(std::span<const std::byte> data) {
  if (data.size() > state_->missing) {
    return fail(Error::make(ErrorCode::kCorrupt, "write archive", state_->name,
                            "a member has more bytes than it said"));
  }
  const la_ssize_t written = ::archive_write_data(state_->handle.get(), data.data(), data.size());
  if (written < 0 || static_cast<std::size_t>(written) != data.size()) {
    return state_->failed();
  }
  state_->missing -= data.size();
  return {};
}

Result<void> ArchiveWriter::add(const std::string& path, std::string_view data) {
  SBX_TRY(begin(path, data.size()));
  return write(std::as_bytes(std::span(data)));
}

Result<void> ArchiveWriter::finish() {
  SBX_TRY(end_member());
  return ::archive_write_close(state_->handle.get()) == ARCHIVE_OK ? Result<void>()
                                                                   : state_->failed();
}

}  // namespace sbx::layer
