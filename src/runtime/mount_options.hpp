#pragma once

// The texts of --volume, --mount, --tmpfs and --volumes-from, as mounts of the OCI runtime configuration. Pure but for the current
// directory.

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "oci/runtime_spec.hpp"

namespace sbx::runtime {

/// The type that sbx has besides those of the OCI: a volume, whose source is its name (empty: one without a name, to be made).
inline constexpr std::string_view kVolumeType = "volume";

/// Options of mounts that are meant for sbx and not for the kernel; those with a '=' have a value.
namespace mount_word {
inline constexpr std::string_view kPrefix = "sbx.";
inline constexpr std::string_view kUser = "sbx.user";      // it was asked for, by user or image
inline constexpr std::string_view kCreate = "sbx.create";  // bind: made if it is not there
inline constexpr std::string_view kNoCopy = "sbx.nocopy";  // volume: not filled from the image
inline constexpr std::string_view kAnonymous = "sbx.anonymous";
inline constexpr std::string_view kChown = "sbx.chown";       // all of it is given to the user
inline constexpr std::string_view kSubpath = "sbx.subpath=";  // only that directory or file of it
inline constexpr std::string_view kLabel = "sbx.label=";      // volume: of one that is made
}  // namespace mount_word

[[nodiscard]] bool has_word(const oci::SpecMount& mount, std::string_view word);
/// What stands behind the '=' of the first option that begins with `word`; empty if there is none.
[[nodiscard]] std::string word_value(const oci::SpecMount& mount, std::string_view word);

/// "[SOURCE:]DST[:OPTIONS]" of --volume. A source that is a path is bound, and made as a directory if it is not there; any other is
/// the name of a volume; without one the volume has none.
Result<oci::SpecMount> parse_volume(const std::string& text);

/// "DST[:OPTIONS]" of --tmpfs. Docker's default: rw,noexec,nosuid,nodev.
Result<oci::SpecMount> parse_tmpfs(const std::string& text);

/// "type=bind|volume|tmpfs,KEY[=VALUE],..." of --mount: comma-separated values as of RFC 4180, so that a field with a
/// comma stands in quotation marks. The source of a bind must be there.
Result<oci::SpecMount> parse_mount(const std::string& text);

/// "CONTAINER[:ro|rw]" of --volumes-from.
struct VolumesFrom {
  std::string container;
  std::optional<bool> read_only;  // nullopt: as they are there
};
Result<VolumesFrom> parse_volumes_from(const std::string& text);

/// Adds a switch of mount(8) ("ro", "noexec", "rslave"); what it contradicts goes.
void add_switch(oci::SpecMount& mount, const std::string& option);

/// As an absolute path is read: no "//", "." or ".."; a ".." at the root is the root.
[[nodiscard]] std::string clean_path(std::string_view path);

/// Docker's grammar for names of volumes, which are also names of files. kInvalidArgument.
Result<void> check_volume_name(const std::string& name);

}  // namespace sbx::runtime
