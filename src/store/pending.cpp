#include "store/pending.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <time.h>

#include <tuple>

#include "sys/file.hpp"

namespace sbx::store {
namespace {

constexpr const char* kDir = "pending";
constexpr std::string_view kLockSuffix = ".lock";
constexpr std::size_t kMaxNote = std::size_t{64} << 10U;  // 512 layers
constexpr std::int64_t kKeepSeconds = 7 * 24 * 3600;

Result<void> make_dir(const Store& store) {
  Result<void> made = sys::make_dir_at(store.dir(), kDir, 0700);
  return !made && made.error().code == ErrorCode::kAlreadyExists ? Result<void>() : made;
}

}  // namespace

Result<Pending> Pending::note(const Store& store, const oci::ChainId& chain,
                              const std::vector<oci::DiffId>& layers) {
  SBX_TRY(make_dir(store));
  std::string text;
  for (const oci::DiffId& layer : layers) {
    text += layer.hex() + "\n";
  }
  Pending pending(store, fmt::format("{}/{}", kDir, chain.hex()));
  SBX_TRY(sys::write_file_at(store.dir(), pending.path_, text, 0600, sys::Durability::kCached));
  return pending;
}

void Pending::forget() {
  std::ignore = sys::unlink_at(store_->dir(), path_);  // another pull of the same image was quicker
}

Result<sys::FileLock> Pending::lock_layer(const oci::DiffId& layer) const {
  return sys::FileLock::acquire(store_->dir(),
                                fmt::format("{}/{}{}", kDir, layer.hex(), kLockSuffix),
                                sys::FileLock::Kind::kExclusive);
}

Result<std::set<std::string>> pending_blobs(const Store& store) {
  std::set<std::string> needed;
  if (!sys::exists_at(store.dir(), kDir)) {
    return needed;
  }
  const std::int64_t now = ::time(nullptr);
  for (const std::string& name : SBX_TRY(sys::list_dir(store.dir(), kDir))) {
    const std::string path = fmt::format("{}/{}", kDir, name);
    const struct stat st = SBX_TRY(sys::stat_at(store.dir(), path));
    const bool note = name.find('.') == std::string::npos;
    if (!note || now - st.st_mtim.tv_sec > kKeepSeconds) {
      SBX_TRY(sys::unlink_at(store.dir(), path));  // a lock, or half a note of a killed pull
      continue;
    }
    const std::string text = SBX_TRY(sys::read_file_at(store.dir(), path, kMaxNote));
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = text.find('\n', at);
      needed.insert(text.substr(at, end - at));
      at = end == std::string::npos ? text.size() : end + 1;
    }
  }
  return needed;
}

}  // namespace sbx::store
