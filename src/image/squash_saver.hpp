#pragma once

#include "image/saver.hpp"

namespace sbx::image {

/// save_images() for SaveFormat::kSquashfs: the merged tree of one image as a squashfs. What its configuration says about how it is
/// run stands in /etc/rc and /etc/environment, as enroot reads it, if it has /etc and /bin/sh; its user does not.
Result<void> save_squash(const SaveRequest& request);

}  // namespace sbx::image
