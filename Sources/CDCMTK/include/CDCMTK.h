#pragma once

#include "association.h"
#include "dataset.h"
#include "tls.h"
