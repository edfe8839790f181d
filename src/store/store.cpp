#include "store/store.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/json.hpp"
#include "oci/manifest.hpp"
#include "sys/file.hpp"

namespace sbx::store {
namespace {

constexpr std::string_view kLayoutVersion = "1.0.0";
constexpr const char* kLayoutFile = "oci-layout";
constexpr const char* kIndexFile = "index.json";
constexpr const char* kUseLock = "use.lock";
constexpr const char* kIndexLock = "index.lock";

Result<void> make_subdir(int dir, const char* name) {
  Result<void> made = sys::make_dir_at(dir, name, 0700);
  return !made && made.error().code == ErrorCode::kAlreadyExists ? Result<void>() : made;
}

/// An oci-layout of another version may keep its blobs elsewhere: hands off.
Result<void> check_layout(int dir, const std::string& path) {
  const std::string text = SBX_TRY(sys::read_file_at(dir, kLayoutFile, 4096));
  const Json layout = SBX_TRY(parse_json(text, kLayoutFile));
  const std::string version = SBX_TRY(find_string(layout, "imageLayoutVersion")).value_or("");
  if (!version.starts_with("1.")) {
    return fail(Error::make(ErrorCode::kUnsupported, "open image store", path,
                            fmt::format("its OCI layout is of version '{}'", printable(version))));
  }
  return {};
}

Result<void> make_layout(int dir) {
  for (const char* name : {"blobs", "blobs/sha256", "tree", "staging"}) {
    SBX_TRY(make_subdir(dir, name));
  }
  if (!sys::exists_at(dir, kIndexFile)) {
    SBX_TRY(sys::write_file_at(dir, kIndexFile, oci::Index().serialise(), 0600,
                               sys::Durability::kSynced));
  }
  // Last: the file that makes the directory a layout.
  const Json layout{{"imageLayoutVersion", kLayoutVersion}};
  return sys::write_file_at(dir, kLayoutFile, dump_json(layout), 0600, sys::Durability::kSynced);
}

}  // namespace

Result<Store> Store::open(const std::string& path, Access access) {
  if (access == Access::kWrite) {
    SBX_TRY(sys::make_dirs(path, 0700).context("making the image store"));
  }
  sys::Fd dir = SBX_TRY(sys::open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY));
  if (access == Access::kWrite && !sys::exists_at(dir.get(), kLayoutFile)) {
    SBX_TRY(make_layout(dir.get()).context(fmt::format("making the image store '{}'", path)));
  }
  SBX_TRY(check_layout(dir.get(), path));
  return Store(std::move(dir), path);
}

std::string Store::blob_path(const oci::DigestBytes& digest) {
  return "blobs/sha256/" + oci::digest_hex(digest);
}

std::string Store::tree_path(const oci::ChainId& chain) {
  return fmt::format("tree/{}.tree", chain.hex());
}

Result<Store> Store::open_additional(const std::string& path) {
  const bool own = sys::exists_at(AT_FDCWD, path + "/oci-layout");
  return Store::open(own ? path : path + "/store", Access::kRead);
}

bool Store::has_blob(const oci::DigestBytes& digest) const {
  return sys::exists_at(dir(), blob_path(digest));
}

Result<sys::Fd> Store::open_blob(const oci::DigestBytes& digest) const {
  return sys::open_at(dir(), blob_path(digest), O_RDONLY | O_NOFOLLOW)
      .context("opening a blob of the image store");
}

Result<std::string> Store::read_blob(const oci::DigestBytes& digest, std::size_t max) const {
  return sys::read_file_at(dir(), blob_path(digest), max)
      .context("reading a blob of the image store");
}

Result<std::uint64_t> Store::blob_size(const oci::DigestBytes& digest) const {
  const struct stat st = SBX_TRY(sys::stat_at(dir(), blob_path(digest)));
  return static_cast<std::uint64_t>(st.st_size);
}

bool Store::has_tree(const oci::ChainId& chain) const {
  return sys::exists_at(dir(), tree_path(chain));
}

Result<sys::Fd> Store::open_tree(const oci::ChainId& chain) const {
  return sys::open_at(dir(), tree_path(chain), O_RDONLY | O_NOFOLLOW);
}

Result<oci::Index> Store::read_index() const {
  const Result<std::string> text = sys::read_file_at(dir(), kIndexFile, oci::kMaxManifestBytes);
  if (!text && text.error().code == ErrorCode::kNotFound) {
    return oci::Index();
  }
  return oci::Index::parse(SBX_TRY(text), oci::MediaType::kOciIndex, path_ + "/" + kIndexFile);
}

Result<void> Store::write_index(const oci::Index& index) const {
  return sys::write_file_at(dir(), kIndexFile, index.serialise(), 0600, sys::Durability::kSynced);
}

Result<sys::FileLock> Store::use_lock() const {
  return sys::FileLock::acquire(dir(), kUseLock, sys::FileLock::Kind::kShared);
}

Result<sys::FileLock> Store::index_lock() const {
  return sys::FileLock::acquire(dir(), kIndexLock, sys::FileLock::Kind::kExclusive);
}

Result<std::optional<sys::FileLock>> Store::try_collect_lock() const {
  return sys::FileLock::try_acquire(dir(), kUseLock, sys::FileLock::Kind::kExclusive);
}

}  // namespace sbx::store
