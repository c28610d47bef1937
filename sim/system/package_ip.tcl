# Packages the accelerator as an IP, mnv2:user:mnv2_axi, in the folder ip next to this file:
#
#     vivado -mode batch -source package_ip.tcl
#
# mnv2 verilog --vivado wrote this file. It was not run in Vivado.
set here [file dirname [file normalize [info script]]]
if {![info exists part]} {
    set part @PART@
}

create_project -force package_ip $here/package_ip -part $part
add_files -norecurse [list $here/accelerator.v $here/mnv2_axi.v]
# Assertions are in it; synthesis leaves them out.
set_property file_type SystemVerilog [get_files accelerator.v]
set_property top mnv2_axi [current_fileset]
update_compile_order -fileset sources_1

# Bus interfaces are found by the names of ports and by the attributes in mnv2_axi.v.
ipx::package_project -root_dir $here/ip -vendor mnv2 -library user -taxonomy /UserIP \
    -import_files -force
set core [ipx::current_core]
set_property name mnv2_axi $core
set_property version @VERSION@ $core
set_property display_name {MobileNetV2 accelerator} $core
set_property description {@DESCRIPTION@} $core
set_property supported_families {zynq Production zynquplus Production artix7 Production \
    kintex7 Production kintexu Production kintexuplus Production} $core
foreach interface {s_axi m_axi} {
    if {[ipx::get_bus_interfaces $interface -of_objects $core] eq ""} {
        error "Vivado found no bus interface $interface in mnv2_axi.v"
    }
    ipx::associate_bus_interfaces -busif $interface -clock aclk $core
}
ipx::create_xgui_files $core
ipx::update_checksums $core
ipx::save_core $core
close_project
