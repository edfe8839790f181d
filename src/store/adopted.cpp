#include "store/adopted.hpp"

#include "sys/file.hpp"

namespace sbx::store {
namespace {

constexpr const char* kDir = "adopted";
constexpr std::size_t kMaxNote = 256;

std::string note_path(const oci::Digest& manifest) {
  return std::string(kDir) + "/" + manifest.hex();
}

}  // namespace

Result<void> note_adopted(const Store& store, const oci::Digest& manifest,
                          const oci::ChainId& chain) {
  if (Result<void> made = sys::make_dir_at(store.dir(), kDir, 0700);
      !made && made.error().code != ErrorCode::kAlreadyExists) {
    return made;
  }
  return sys::write_file_at(store.dir(), note_path(manifest), chain.str(), 0600,
                            sys::Durability::kSynced);
}

std::optional<oci::ChainId> find_adopted(const Store& store, const oci::Digest& manifest) {
  const Result<std::string> text = sys::read_file_at(store.dir(), note_path(manifest), kMaxNote);
  const Result<oci::ChainId> chain =
      text ? oci::ChainId::parse(*text) : Result<oci::ChainId>(fail(text.error()));
  return chain ? std::optional(*chain) : std::nullopt;
}

Result<std::set<std::string>> adopted_trees(const Store& store) {
  std::set<std::string> out;
  if (!sys::exists_at(store.dir(), kDir)) {
    return out;
  }
  for (const std::string& name : SBX_TRY(sys::list_dir(store.dir(), kDir))) {
    const std::optional<oci::Digest> manifest = oci::Digest::from_hex(name);
    if (const auto chain = manifest ? find_adopted(store, *manifest) : std::nullopt) {
      out.insert(chain->hex() + ".tree");
    }
  }
  return out;
}

}  // namespace sbx::store
