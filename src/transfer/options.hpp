#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "image/saver.hpp"
#include "layer/compression.hpp"
#include "oci/platform.hpp"

namespace sbx::transfer {

/// The words behind a verb. Written by sbx, not by people.
using Words = std::span<char* const>;

/// One option of a verb; one of the targets is set, and outlives the reading.
struct Option {
  std::string_view name;                       // "--root"
  std::string* value = nullptr;                // given again, the last one counts
  std::vector<std::string>* values = nullptr;  // may be given several times
  bool* flag = nullptr;                        // takes no value
};

/// Options in any order; what is none, and everything behind "--", goes to `arguments`. kInvalidArgument, with `usage` as the hint, for an
/// option that is not in `options` and for one without its value.
Result<void> read_options(std::string_view usage, Words words, std::span<const Option> options,
                          std::vector<std::string>& arguments);

/// kInvalidArgument with `usage` as the hint.
Error wrong_words(std::string_view usage, std::string_view subject, std::string reason);

/// What every verb that works on the store needs; kInvalidArgument unless it is an absolute path.
Result<void> check_root(std::string_view usage, const std::string& root);

/// The machine's own if `text` is empty.
Result<oci::Platform> platform_or_host(const std::string& text);

/// One image of this machine into the store; or, from an archive that is descriptor 0, all of them.
struct LoadOptions {
  static constexpr std::string_view kUsage =
      "sbx-transfer load --root ROOT [--platform OS/ARCH[/VARIANT]] [--tag NAME]... [--progress] "
      "SOURCE|--archive NAME";

  std::string root;
  std::string platform;  // empty: this machine's
  std::vector<std::string> tags;
  bool progress = false;
  std::string source;
  std::string archive;  // for errors and names; empty: `source` instead

  static Result<LoadOptions> parse(Words words);
};

/// Images of the store to descriptor 0: an archive, or the open directory of a layout.
struct SaveOptions {
  static constexpr std::string_view kUsage =
      "sbx-transfer save --root ROOT --name NAME [--format "
      "oci-archive|oci-dir|docker-archive|sqsh] "
      "[--compress none|gzip|zstd] [--store LAYOUT]... IMAGE...";

  std::string root;
  std::string name;  // of the output, for errors
  image::SaveFormat format = image::SaveFormat::kOciArchive;
  layer::Compression compression = layer::Compression::kNone;
  std::vector<std::string> stores;  // additional ones
  std::vector<std::string> images;

  static Result<SaveOptions> parse(Words words);
};

/// The tree of an image of another layout.
struct AdoptOptions {
  static constexpr std::string_view kUsage =
      "sbx-transfer adopt --root ROOT --store LAYOUT MANIFEST-DIGEST";

  std::string root;
  std::string store;
  std::string manifest;

  static Result<AdoptOptions> parse(Words words);
};

/// The tree of a SIF or squashfs, descriptor 0.
struct AdoptFileOptions {
  static constexpr std::string_view kUsage =
      "sbx-transfer adopt-file --root ROOT [--platform OS/ARCH[/VARIANT]] PATH";

  std::string root;
  std::string platform;  // empty: this machine's
  std::string path;      // absolute, for errors and the note

  static Result<AdoptFileOptions> parse(Words words);
};

/// Every file of the store.
struct CheckOptions {
  static constexpr std::string_view kUsage = "sbx-transfer check --root ROOT [--repair]";

  std::string root;
  bool repair = false;

  static Result<CheckOptions> parse(Words words);
};

/// A root file system in a tar, descriptor 0, as an image.
struct ImportOptions {
  static constexpr std::string_view kUsage =
      "sbx-transfer import --root ROOT --name NAME [--platform OS/ARCH[/VARIANT]] [--tag NAME]... "
      "[--change CHANGE]... [--message TEXT] [--progress]";

  std::string root;
  std::string name;  // of the tar, for errors and the history
  std::string platform;
  std::vector<std::string> tags;
  std::vector<std::string> changes;
  std::string message;
  bool progress = false;

  static Result<ImportOptions> parse(Words words);
};

/// How registries are talked to: the options --authfile and --tls-verify.
struct RegistryChoice {
  std::string auth_file;       // empty: the usual ones
  std::optional<bool> verify;  // nullopt: as registries.conf has it
};

/// One image of a registry into the store.
struct PullOptions {
  static constexpr std::string_view kUsage =
      "sbx-transfer pull --root ROOT [--platform OS/ARCH[/VARIANT]] [--authfile FILE] "
      "[--tls-verify true|false] [--progress] NAME";

  std::string root;
  std::string platform;  // empty: this machine's
  RegistryChoice registry;
  bool progress = false;
  std::string name;  // as typed: short names are resolved here

  static Result<PullOptions> parse(Words words);
};

/// The files of a container that does not run, as a tar to descriptor 0.
struct ExportOptions {
  static constexpr std::string_view kUsage =
      "sbx-transfer export --root ROOT [--store LAYOUT]... --name NAME --chain CHAIN-ID "
      "CONTAINER-DIR";

  std::string root;
  std::vector<std::string> stores;  // additional ones
  std::string name;                 // of the output, for errors
  std::string chain;                // of the image below
  std::string container;            // absolute; locked by the caller

  static Result<ExportOptions> parse(Words words);
};

/// One image of the store to a registry.
struct PushOptions {
  static constexpr std::string_view kUsage =
      "sbx-transfer push --root ROOT [--store LAYOUT]... [--authfile FILE] [--tls-verify "
      "true|false] "
      "[--compress none|gzip|zstd] [--format oci|docker] [--progress] IMAGE DESTINATION";

  std::string root;
  std::vector<std::string> stores;  // additional ones
  RegistryChoice registry;
  std::optional<layer::Compression> compression;
  std::optional<bool> docker_manifest;
  bool progress = false;
  std::string image;
  std::string destination;  // a whole name

  static Result<PushOptions> parse(Words words);
};

/// Whether a registry takes a name and a password, which is descriptor 0.
struct LoginOptions {
  static constexpr std::string_view kUsage =
      "sbx-transfer login [--authfile FILE] [--tls-verify true|false] [--user NAME] [--keep] "
      "HOST[/NAMESPACE]";

  RegistryChoice registry;
  std::string user;   // empty: with what is known already
  bool keep = false;  // do not ask the registry: it did take them; put them where they are kept
  std::string key;

  static Result<LoginOptions> parse(Words words);
};

/// Forgets credentials; without a KEY tells which there are.
struct LogoutOptions {
  static constexpr std::string_view kUsage = "sbx-transfer logout [--authfile FILE] KEY...";

  RegistryChoice registry;
  std::vector<std::string> keys;

  static Result<LogoutOptions> parse(Words words);
};

/// Which credentials there are; no secret is told.
struct LoginsOptions {
  static constexpr std::string_view kUsage = "sbx-transfer logins [--authfile FILE]";

  RegistryChoice registry;

  static Result<LoginsOptions> parse(Words words);
};

/// Repositories of a registry, or the tags of one.
struct SearchOptions {
  static constexpr std::string_view kUsage =
      "sbx-transfer search [--authfile FILE] [--tls-verify true|false] [--limit N] [--tags] TERM";

  RegistryChoice registry;
  std::size_t limit = 25;
  bool tags = false;
  std::string term;

  static Result<SearchOptions> parse(Words words);
};

/// What a registry says of an image.
struct DescribeOptions {
  static constexpr std::string_view kUsage =
      "sbx-transfer describe [--authfile FILE] [--tls-verify true|false] "
      "[--platform OS/ARCH[/VARIANT]] NAME";

  RegistryChoice registry;
  std::string platform;  // empty: this machine's
  std::string name;

  static Result<DescribeOptions> parse(Words words);
};

}  // namespace sbx::transfer
