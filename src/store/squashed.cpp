#include "store/squashed.hpp"

#include <array>
#include <cstring>
#include <vector>

#include "sys/file.hpp"

namespace sbx::store {
namespace {

constexpr std::size_t kMaxNote = std::size_t{16} << 20U;  // with passwd files of large sites
constexpr std::size_t kStatBytes = 3 * sizeof(std::uint64_t);

std::string note_path(const oci::ChainId& key) {
  return std::string(kSquashedDir) + "/" + key.hex();
}

/// FNV-1a, 64 bits.
std::uint64_t checksum(std::span<const std::byte> bytes) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const std::byte byte : bytes) {
    hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3U;
  }
  return hash;
}

bool is_as_it_was(const oci::ChainId& key, const std::string& path) {
  const Result<struct stat> st = sys::stat_at(AT_FDCWD, path);
  if (!st) {
    return false;
  }
  const oci::ChainId now = squash_key(*st, {});
  return std::memcmp(now.bytes().data(), key.bytes().data(), kStatBytes) == 0;
}

}  // namespace

oci::ChainId squash_key(const struct stat& st, std::span<const std::byte> head) {
  const auto nanoseconds = static_cast<std::uint64_t>(st.st_mtim.tv_sec) * 1'000'000'000U +
                           static_cast<std::uint64_t>(st.st_mtim.tv_nsec);
  const std::array<std::uint64_t, 4> parts{std::uint64_t{st.st_ino},
                                           static_cast<std::uint64_t>(st.st_size), nanoseconds,
                                           checksum(head)};
  oci::DigestBytes bytes{};
  static_assert(sizeof parts == sizeof bytes);
  std::memcpy(bytes.data(), parts.data(), sizeof bytes);
  return oci::ChainId(bytes);
}

Result<oci::ChainId> squash_key_of(int fd, std::string_view name) {
  const struct stat st = SBX_TRY(sys::stat_fd(fd, name));
  if (!S_ISREG(st.st_mode)) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "read image file", name,
                            "it is not a regular file"));
  }
  std::vector<std::byte> head(kSquashHead);
  head.resize(SBX_TRY(sys::pread_full(fd, head, 0, name)));
  return squash_key(st, head);
}

Result<void> note_squashed(const Store& store, const oci::ChainId& key, const std::string& path,
                           Json note) {
  if (Result<void> made = sys::make_dir_at(store.dir(), kSquashedDir, 0700);
      !made && made.error().code != ErrorCode::kAlreadyExists) {
    return made;
  }
  note["path"] = path;
  return sys::write_file_at(store.dir(), note_path(key), dump_json(note), 0600,
                            sys::Durability::kSynced);
}

std::optional<Json> find_squashed(const Store& store, const oci::ChainId& key) {
  const Result<std::string> text = sys::read_file_at(store.dir(), note_path(key), kMaxNote);
  if (!text) {
    return std::nullopt;
  }
  Result<Json> note = parse_json(*text, "note", {.bytes = kMaxNote});
  return note && note->is_object() ? std::optional(std::move(note).value()) : std::nullopt;
}

Result<std::vector<SquashedFile>> squashed_files(const Store& store) {
  std::vector<SquashedFile> out;
  if (!sys::exists_at(store.dir(), kSquashedDir)) {
    return out;
  }
  for (const std::string& name : SBX_TRY(sys::list_dir(store.dir(), kSquashedDir))) {
    const std::optional<oci::ChainId> key = oci::ChainId::from_hex(name);
    const std::optional<Json> note = key ? find_squashed(store, *key) : std::nullopt;
    const Result<std::optional<std::string>> path =
        note ? find_string(*note, "path") : Result<std::optional<std::string>>(std::nullopt);
    if (path && *path && is_as_it_was(*key, **path)) {
      out.push_back({*key, **path});
    }
  }
  return out;
}

Result<void> forget_squashed(const Store& store, const oci::ChainId& key) {
  for (const std::string& path : {note_path(key), Store::tree_path(key)}) {
    if (Result<void> gone = sys::unlink_at(store.dir(), path);
        !gone && gone.error().code != ErrorCode::kNotFound) {
      return gone;
    }
  }
  return {};
}

}  // namespace sbx::store
