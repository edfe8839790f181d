#include "runtime/squash_source.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/base64.hpp"
#include "oci/platform.hpp"
#include "runtime/transfer.hpp"
#include "store/squashed.hpp"
#include "sys/file.hpp"

namespace sbx::runtime {
namespace {

constexpr std::array<std::string_view, 2> kPrefixes{"sif:", "sqsh:"};
constexpr std::array<std::string_view, 3> kSuffixes{".sif", ".sqsh", ".squashfs"};
constexpr std::size_t kMostText = std::size_t{2} << 20U;

std::string path_of(const std::string& image) {
  const auto* const prefix =
      std::find_if(kPrefixes.begin(), kPrefixes.end(),
                   [&](std::string_view known) { return image.starts_with(known); });
  return prefix == kPrefixes.end() ? image : image.substr(prefix->size());
}

Result<std::string> account_text(const Json& note, std::string_view key) {
  const std::optional<std::string> coded = SBX_TRY(find_string(note, key));
  return decode_base64(coded.value_or(""), kMostText).value_or("");
}

Result<ImageDefaults> defaults_of(const Json& note) {
  ImageDefaults out;
  const Json* const config = SBX_TRY(find_object(note, "config"));
  if (config == nullptr) {
    return out;
  }
  out.entry_point = SBX_TRY(find_strings(*config, "Entrypoint"));
  out.command = SBX_TRY(find_strings(*config, "Cmd"));
  out.environment = SBX_TRY(find_strings(*config, "Env"));
  out.working_directory = SBX_TRY(find_string(*config, "WorkingDir")).value_or("");
  out.user = SBX_TRY(find_string(*config, "User")).value_or("");
  return out;
}

/// A squashfs does not say what it is for; a SIF does, and its tree was made only if that is what was wanted then.
Result<void> check_platform(const RunRequest& request, const Json& note) {
  const std::string there = SBX_TRY(find_string(note, "architecture")).value_or("");
  if (request.platform.empty()) {
    return there.empty() || there == oci::Platform::host().architecture
               ? Result<void>()
               : fail(Error::make(ErrorCode::kUnsupported, "run image", request.image,
                                  fmt::format("it is for {}", there))
                          .with_hint(fmt::format("ask for it with --platform {}", there)));
  }
  const std::string wanted = SBX_TRY(oci::Platform::parse(request.platform)).architecture;
  if (there.empty()) {
    return fail(Error::make(ErrorCode::kInvalidArgument, "use --platform with", request.image,
                            "a squashfs does not say what it is for"));
  }
  return there == wanted
             ? Result<void>()
             : fail(Error::make(ErrorCode::kNotFound, "run image", request.image,
                                fmt::format("it is for {}, not for {}", there, wanted)));
}

struct Found {
  Json note;
  layer::ImageTree tree;
};

/// What the store knows of the file; nullopt if nothing, or nothing that this version can use.
std::optional<Found> find(const std::string& data_root, const oci::ChainId& key) {
  const Result<store::Store> store =
      store::Store::open(data_root + "/store", store::Store::Access::kRead);
  if (!store) {
    return std::nullopt;
  }
  const Result<sys::FileLock> lock = store->use_lock();  // nothing is collected between the two
  std::optional<Json> note = store::find_squashed(*store, key);
  Result<sys::Fd> file = store->open_tree(key);
  if (!note || !file) {
    return std::nullopt;
  }
  Result<layer::ImageTree> tree = layer::ImageTree::open(std::move(file).value(), key.hex());
  if (!tree || tree->chain_id() != key || !tree->squash()) {
    return std::nullopt;
  }
  return Found{*std::move(note), std::move(tree).value()};
}

Result<Found> find_or_make(const RunRequest& request, const std::string& data_root,
                           const std::string& path, int file) {
  const oci::ChainId key = SBX_TRY(store::squash_key_of(file, path));
  if (std::optional<Found> found = find(data_root, key)) {
    return *std::move(found);
  }
  std::vector<std::string> words{"adopt-file", "--root", data_root};
  if (!request.platform.empty()) {
    words.insert(words.end(), {"--platform", request.platform});
  }
  words.push_back(path);
  const Json answer = SBX_TRY(ask_transfer(std::move(words), file));
  if (SBX_TRY(find_string(answer, "key")).value_or("") != key.hex()) {
    return fail(Error::make(ErrorCode::kBusy, "read image file", path, "it is being written to"));
  }
  std::optional<Found> made = find(data_root, key);
  return made ? Result<Found>(*std::move(made))
              : fail(Error::make(ErrorCode::kSystem, "run image", path,
                                 "sbx-transfer made a tree that is not there"));
}

}  // namespace

bool is_squash_source(const std::string& text) {
  const auto begins = [&](std::string_view prefix) { return text.starts_with(prefix); };
  const auto ends = [&](std::string_view suffix) { return text.ends_with(suffix); };
  return std::any_of(kPrefixes.begin(), kPrefixes.end(), begins) ||
         (text.find("://") == std::string::npos &&
          std::any_of(kSuffixes.begin(), kSuffixes.end(), ends));
}

bool is_sif_name(const std::string& text) {
  return is_squash_source(text) && (text.starts_with("sif:") || text.ends_with(".sif"));
}

Result<OpenedSquash> open_squash(const RunRequest& request, const std::string& data_root) {
  const std::string name = path_of(request.image);
  sys::Fd file = SBX_TRY(sys::open_at(AT_FDCWD, name, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  const std::string path = SBX_TRY(sys::real_path(name));
  Found found = SBX_TRY(find_or_make(request, data_root, path, file.get()));
  SBX_TRY(check_platform(request, found.note));
  AccountFiles accounts{SBX_TRY(account_text(found.note, "passwd")),
                        SBX_TRY(account_text(found.note, "group"))};
  return OpenedSquash{SBX_TRY(defaults_of(found.note)), std::move(accounts), std::move(found.tree),
                      std::move(file)};
}

}  // namespace sbx::runtime
