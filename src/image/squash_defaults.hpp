#pragma once

#include <optional>
#include <string>

#include "base/json.hpp"
#include "base/result.hpp"
#include "layer/image_tree.hpp"
#include "layer/squash_reader.hpp"

namespace sbx::image {

/// What the files in a tree say about how it is run, as the note of store/squashed.hpp holds it:
/// {"config": {"Entrypoint": [...], "Cmd": [...], "Env": [...], "WorkingDir": ...}, "passwd": base64, "group": base64}.
///
/// apptainer: /.singularity.d/env/*.sh are for a shell inside, which then runs the command, or /.singularity.d/runscript.
/// enroot: /etc/rc runs the command, or the image's own; /etc/environment holds the environment.
/// Neither, or no /bin/sh: `oci_config`, the "config" of an OCI image configuration, if there is one.
/// Everything is read as data. Files that are damaged or too large are as if absent.
Json squash_note(const layer::ImageTree& tree, layer::SquashReader& reader,
                 const std::optional<Json>& oci_config);

}  // namespace sbx::image
