#!/usr/bin/env node
import '../dist/bin/dist.js'
